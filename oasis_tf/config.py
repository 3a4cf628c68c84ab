"""What a run is: one frozen dataclass, its presets, its toy twin and its overrides."""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.files import write_atomically

# Keras' names of its policies.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# How a run starts, see docs/training_start.md.
STARTS = ("guarded", "released")
# Over which pixels classes are counted for their weights in the loss.
BALANCES = ("replica", "batch")

# What may be computed during training, by the names of `oasis_tf.evaluate`: what looks at each
# validation label map once. ms_ssim and lpips draw it twenty times or more.
METRICS = ("fid", "kid", "miou", "colour", "texture")
# Whose features fid and kid compare.
FEATURES = ("inception", "segmenter")


class ConfigError(ValueError):
    """The configuration of a run is impossible, or differs from the one the run began with."""


@dataclass(frozen=True)
class Config:
    """Everything that determines a run, together with the records it reads.

    Attributes:
        dataset: name of the data set, as its manifest says.
        image_size: (height, width) of training, multiples of 64.
        batch_size: pictures per update over all devices.
        accumulate: micro-batches of which the gradients of an update are the mean. A device holds
            batch_size / devices / accumulate pictures at a time, and batch-norm statistics are
            those of one micro-batch over all devices, which is what makes the result another.
        class_balance: "replica" weighs classes by their pixels in what one device holds at a
            time, as the released code does: with other numbers of devices or micro-batches the
            weights are others. "batch" counts over the whole batch, whoever holds it.
        epochs: passes over the training pictures, unless `steps` is given.
        steps: steps in all; None = from `epochs`.
        generator_lr: Adam's learning rate of the generator.
        discriminator_lr: Adam's learning rate of the discriminator.
        labelmix_weight: lambda.
        ema_decay: of the averaged generator, in [0, 1).
        start: "guarded" keeps the explosions of the first steps out of Adam (`GradientClip`),
            makes more power iterations in them (`Trainer`) and lets the average's decay rise to
            `ema_decay` (`ema.warmed_up`); "released" does none of it, as the authors' code.
        generator_channels: base width of the generator; its first block is 16 times as wide.
        discriminator_channels: base width of the discriminator, that of its last features.
        spade_channels: width of SPADE's hidden layers.
        noise_channels: Z.
        init_gain: of the Xavier-normal initialisers.
        spade_gain: of those of SPADE's kernels; None = `init_gain`.
        precision: one of `PRECISIONS`, that of the convolutions; all else is float32.
        share_pictures: the discriminator learns from the pictures of the generator's update
            instead of new ones: quicker, and not what the paper does.
        rematerialize: the networks' blocks keep only their inputs for the gradient and run again
            in it: less memory, more time, the same numbers but for rounding.
        init_from: directory of the run or converted checkpoint whose weights it starts from.
        segmenter: directory of the segmenter that judges, or None.
        metrics: names of `METRICS` that are computed with the score; the best checkpoint is
            chosen by the first one. Empty = miou where there is a segmenter, else none: chosen
            by the discriminator's mIoU.
        features: one of `FEATURES`.
        seed: of initial weights, data order, augmentation, noise and LabelMix coins.
        statistics_batches: training batches over which the averaged generator's batch-norm
            statistics are re-estimated before it is used.
        steps_per_loop: steps made by one call of TensorFlow; does not change the numbers.
        log_every: steps between two lines of numbers.
        evaluate_every: steps between two scores on the validation labels.
        pictures_every: steps between two grids of pictures.
        checkpoint_every: steps between two checkpoints.
        keep_checkpoints: how many of the newest are kept, beside the best.
    """

    dataset: str
    image_size: tuple[int, int] = (256, 256)
    batch_size: int = 32
    accumulate: int = 1
    class_balance: str = "replica"
    epochs: int = 200
    steps: int | None = None
    generator_lr: float = 1e-4
    discriminator_lr: float = 4e-4
    labelmix_weight: float = 10.0
    ema_decay: float = 0.9999
    start: str = STARTS[0]
    generator_channels: int = 64
    discriminator_channels: int = 64
    spade_channels: int = 128
    noise_channels: int = 64
    init_gain: float = 0.02
    spade_gain: float | None = None
    precision: str = "float32"
    share_pictures: bool = False
    rematerialize: bool = False
    init_from: str | None = None
    segmenter: str | None = None
    metrics: tuple[str, ...] = ()
    features: str = FEATURES[0]
    seed: int = 0
    statistics_batches: int = 50
    steps_per_loop: int = 1
    log_every: int = 10
    evaluate_every: int = 5000
    pictures_every: int = 1000
    checkpoint_every: int = 1000
    keep_checkpoints: int = 3

    def __post_init__(self):
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"--{name} must be positive. Received: {value}")
        for name, choices in (
            ("precision", PRECISIONS),
            ("class_balance", BALANCES),
            ("start", STARTS),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(
                    f"--{name} must be one of {', '.join(choices)}. Received: {value}"
                )
        if self.batch_size % self.accumulate:
            raise ConfigError(
                f"--batch_size must be a multiple of --accumulate {self.accumulate}. "
                f"Received: {self.batch_size}"
            )
        if self.share_pictures and self.accumulate > 1:
            raise ConfigError(
                "--share_pictures must go without --accumulate, which does not keep the pictures. "
                f"Received: both, --accumulate {self.accumulate}"
            )
        if unknown := [name for name in self.metrics if name not in METRICS]:
            raise ConfigError(
                f"--metrics must be some of {', '.join(METRICS)} (oasis_tf.evaluate has others). "
                f"Received: {', '.join(unknown)}"
            )
        if self.features not in FEATURES:
            raise ConfigError(
                f"--features must be one of {', '.join(FEATURES)}. Received: {self.features}"
            )
        if self.segmenter is None and ("miou" in self.metrics or self.features == "segmenter"):
            needs = "--metrics miou" if "miou" in self.metrics else "--features segmenter"
            raise ConfigError(
                f"{needs} needs --segmenter DIR, which python -m oasis_tf.train_segmenter makes. "
                "Received: none"
            )
        if not 0 <= self.ema_decay < 1:
            raise ConfigError(f"--ema_decay must be in [0, 1). Received: {self.ema_decay}")
        height, width = self.image_size
        if height <= 0 or width <= 0 or height % 64 or width % 64:
            nearest = [max(64, round(n / 64) * 64) for n in (height, width)]
            raise ConfigError(
                "--image_size H W must be positive multiples of 64, for the networks halve the "
                f"picture six times. Received: {height} {width}; nearest possible: "
                f"{nearest[0]} {nearest[1]}"
            )

    def total_steps(self, examples):
        """Steps of the whole run over a training split of `examples` pictures."""
        if self.steps is not None:
            return self.steps
        return math.ceil(self.epochs * examples / self.batch_size)


# What may change when a run is resumed: how long, how often and how, never what is computed.
_MAY_CHANGE = {
    "epochs",
    "steps",
    "steps_per_loop",
    "log_every",
    "evaluate_every",
    "pictures_every",
    "checkpoint_every",
    "keep_checkpoints",
    "rematerialize",
}
_POSITIVE = {
    "batch_size",
    "accumulate",
    "epochs",
    "steps",
    "generator_lr",
    "discriminator_lr",
    "generator_channels",
    "discriminator_channels",
    "spade_channels",
    "noise_channels",
    "init_gain",
    "spade_gain",
    "statistics_batches",
} | (_MAY_CHANGE - {"epochs", "steps", "rematerialize"})


def save_config(model_dir, config, data):
    """Writes `config.json` of a run, atomically.

    Args:
        model_dir: an existing directory.
        config: the resolved `Config`.
        data: JSON-able dict: what `data_pipeline.legend.Legend.to_json` gives and, of a training
            run, `shards`, the records' checksums by name.
    """
    path = Path(model_dir) / "config.json"
    text = json.dumps({"config": dataclasses.asdict(config), "data": data}, indent=1)
    write_atomically(path, text + "\n")


def load_config(model_dir):
    """Reads `config.json` of a run: (`Config`, data dict).

    Raises:
        ConfigError: the file is missing or not of this version.
    """
    path = Path(model_dir) / "config.json"
    try:
        content = json.loads(path.read_text())
        fields = dict(content["config"])
        for name in ("image_size", "metrics"):
            if name in fields:
                fields[name] = tuple(fields[name])
        # What runs did before there was a choice.
        fields.setdefault("start", "released")
        return Config(**fields), content["data"]
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; the directory holds no run.") from None
    except (ValueError, KeyError, TypeError, OSError, ArithmeticError, RecursionError) as error:
        raise ConfigError(f"{path}: not the configuration of a run ({error}).") from None


def check_resumable(model_dir, config, data):
    """Compares a run's saved configuration with the one asked for.

    Raises:
        ConfigError: they differ in what determines the run; lists every difference.
    """
    saved_config, saved_data = load_config(model_dir)
    if "shards" not in saved_data:
        raise ConfigError(
            f"--model_dir {model_dir} holds converted weights, which are no run; choose another "
            f"directory and start from them with --init_from {model_dir}"
        )
    saved, asked = dataclasses.asdict(saved_config), dataclasses.asdict(config)
    differences = [
        f"{name}: began with {saved[name]}, received {asked[name]}"
        for name in saved
        if name not in _MAY_CHANGE and saved[name] != asked[name]
    ]
    if saved_data["shards"] != data["shards"]:
        differences.append("data: --data_dir holds other records than the run began with")
    if differences:
        raise ConfigError(
            f"--model_dir {model_dir} holds a run of another configuration; choose another "
            "directory or the same settings:\n  " + "\n  ".join(differences)
        )
