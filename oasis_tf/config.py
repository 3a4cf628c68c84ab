"""What a run is: one frozen dataclass, whose fields are the flags of `oasis_tf.train`."""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.errors import OasisError
from data_pipeline.files import write_atomically
from oasis_tf.evaluation.metrics.features import FEATURES
from oasis_tf.evaluation.metrics.registry import METRICS

# Of `config.json` and of the checkpoints beside it. 0 is what was written before the number was.
FORMAT_VERSION = 1

# Keras' names of its policies.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
# How a run starts, see docs/training_start.md.
STARTS = ("guarded", "released")
# Over which pixels classes are counted for their weights in the loss.
BALANCES = ("replica", "batch", "none")
# Which layers of the generator see the noise.
NOISE_LAYERS = ("all", "first")
# What the generator learns from: the paper's segmentation network, or the one it is compared with.
DISCRIMINATORS = ("segmentation", "real_fake")

# What may be computed during training.
TRAINING_METRICS = tuple(name for name, metric in METRICS.items() if metric.during_training)

# Of --init_from: its classes must be the run's, or those that both have are taken.
INIT_CLASSES = ("same", "by_name")

# The groups of settings, in the order of `oasis_tf.train --help`.
GROUPS = ("length", "networks", "optimisation", "speed and memory", "metrics", "intervals")


class ConfigError(OasisError, ValueError):
    """The configuration of a run is impossible, or differs from the one the run began with."""


def _setting(default, group, text, *, choices=None, positive=True, may_change=False):
    """A field of `Config`.

    Args:
        default: its value in a preset that does not name it.
        group: one of `GROUPS`.
        text: what it is; the help text of its flag.
        choices: the values it may have.
        positive: a number must be greater than 0.
        may_change: another value may be given when a run is resumed, because the setting says how
            long, how often or by which way something is computed, and does not determine the
            weights.
    """
    metadata = dict(
        group=group, help=text, choices=choices, positive=positive, may_change=may_change
    )
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Config:
    """Everything that determines a run, together with the records it reads.

    Each field's metadata holds its help text, its rule and whether it may change when a run is
    resumed. `dataset` is the data set's name, as its manifest says.
    """

    dataset: str
    image_size: tuple[int, int] = _setting(
        (256, 256), "networks", "height and width of training, multiples of 64: the records'"
    )
    epochs: int = _setting(
        200, "length", "passes over the training pictures, unless --steps is given", may_change=True
    )
    steps: int | None = _setting(None, "length", "steps in all", may_change=True)

    generator_channels: int = _setting(
        64, "networks", "base width of the generator; its first block is 16 times as wide"
    )
    discriminator_channels: int = _setting(
        64, "networks", "base width of the discriminator, that of its last features"
    )
    spade_channels: int = _setting(128, "networks", "width of SPADE's hidden layers")
    noise_channels: int = _setting(
        64, "networks", "Z, the length of a noise vector; 0 for no noise", positive=False
    )
    noise_layers: str = _setting(
        NOISE_LAYERS[0],
        "networks",
        "the layers of the generator that see the noise: all, as in the paper, or the first alone",
        choices=NOISE_LAYERS,
    )
    discriminator: str = _setting(
        DISCRIMINATORS[0],
        "networks",
        "segmentation: the paper's; real_fake: one that says of patches whether they are "
        "photographs, given their labels, with a hinge loss, to compare with",
        choices=DISCRIMINATORS,
    )
    init_gain: float = _setting(0.02, "networks", "gain of the Xavier-normal initial weights")
    spade_gain: float | None = _setting(
        None, "networks", "gain of SPADE's initial weights, if another than --init_gain"
    )
    init_from: str | None = _setting(
        None,
        "networks",
        "begin with the weights of another run, or of python -m oasis_tf.convert; read once, "
        "before the first step",
        may_change=True,
    )

    init_classes: str = _setting(
        INIT_CLASSES[0],
        "networks",
        "by_name takes from an --init_from of other classes the weights of those that both have, "
        "by their names; the others start anew",
        choices=INIT_CLASSES,
        may_change=True,
    )

    batch_size: int = _setting(32, "optimisation", "pictures of an update, over all devices")
    generator_lr: float = _setting(1e-4, "optimisation", "Adam's learning rate of the generator")
    discriminator_lr: float = _setting(
        4e-4, "optimisation", "Adam's learning rate of the discriminator"
    )
    labelmix_weight: float = _setting(
        10.0,
        "optimisation",
        "lambda, the weight of the LabelMix loss; 0 spares its work",
        positive=False,
    )
    perceptual_weight: float = _setting(
        0.0,
        "optimisation",
        "weight of a perceptual loss by VGG19, which the paper does without",
        positive=False,
    )
    vgg_weights: str | None = _setting(
        None,
        "optimisation",
        "file with the weights of VGG19 for it, of keras.applications, without the top",
        may_change=True,
    )
    ema_decay: float = _setting(
        0.9999, "optimisation", "decay of the averaged generator, in [0, 1)", positive=False
    )
    start: str = _setting(
        STARTS[0],
        "optimisation",
        "guarded: keep the explosions of the first steps out of Adam, make more power iterations "
        "in them, and let the average's decay rise with the step; released: none of it, as the "
        "authors' code",
        choices=STARTS,
    )
    class_balance: str = _setting(
        BALANCES[0],
        "optimisation",
        "weigh classes by the pixels that one device holds at a time, as released, so that other "
        "numbers of devices or micro-batches give other weights; or by those of the whole batch; "
        "none: every labelled pixel counts the same",
        choices=BALANCES,
    )
    seed: int = _setting(
        0,
        "optimisation",
        "of initial weights, data order, augmentation, noise and LabelMix masks",
        positive=False,
    )
    statistics_batches: int = _setting(
        50,
        "optimisation",
        "training batches over which the averaged generator's batch-norm statistics are "
        "re-estimated before it is used",
    )

    precision: str = _setting(
        PRECISIONS[0],
        "speed and memory",
        "of the convolutions; all else stays float32",
        choices=PRECISIONS,
    )
    accumulate: int = _setting(
        1,
        "speed and memory",
        "make each update from this many micro-batches, one after the other, for less memory; "
        "batch-norm statistics are those of one micro-batch",
    )
    share_pictures: bool = _setting(
        False,
        "speed and memory",
        "the discriminator learns from the pictures of the generator's update: quicker, not the "
        "paper's",
    )
    rematerialize: bool = _setting(
        False,
        "speed and memory",
        "blocks keep only their inputs and run again for their gradients: less memory, more time, "
        "the same numbers but for rounding",
        may_change=True,
    )
    jit_compile: bool = _setting(
        False,
        "speed and memory",
        "XLA compiles the step, minutes at the start, for one device; the same numbers but for "
        "rounding",
        may_change=True,
    )
    steps_per_loop: int = _setting(
        1, "speed and memory", "steps made by one call of TensorFlow", may_change=True
    )

    metrics: tuple[str, ...] = _setting(
        (),
        "metrics",
        f"comma-separated, some of {','.join(TRAINING_METRICS)}: computed every --evaluate_every "
        "steps as oasis_tf.evaluate does; the first one chooses the best checkpoint. Without any: "
        "miou where there is a --segmenter, else the discriminator's mIoU",
        may_change=True,
    )
    segmenter: str | None = _setting(
        None,
        "metrics",
        "directory of the segmenter that miou needs, of python -m oasis_tf.train_segmenter",
        may_change=True,
    )
    features: str = _setting(
        "inception",
        "metrics",
        "whose features fid and kid compare; see oasis_tf.evaluate",
        choices=tuple(FEATURES),
        may_change=True,
    )

    log_every: int = _setting(
        10, "intervals", "steps between two lines of numbers", may_change=True
    )
    evaluate_every: int = _setting(
        5000, "intervals", "steps between two scores on the validation labels", may_change=True
    )
    pictures_every: int = _setting(
        1000, "intervals", "steps between two grids of pictures", may_change=True
    )
    checkpoint_every: int = _setting(
        1000, "intervals", "steps between two checkpoints", may_change=True
    )
    keep_checkpoints: int = _setting(
        3, "intervals", "how many of the newest checkpoints stay, beside the best", may_change=True
    )

    def __post_init__(self):
        for field in settings():
            value, choices = getattr(self, field.name), field.metadata["choices"]
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and not math.isfinite(value):
                raise ConfigError(f"--{field.name} must be finite. Received: {value}")
            if number and field.metadata["positive"] and not value > 0:
                raise ConfigError(f"--{field.name} must be positive. Received: {value}")
            if choices and value not in choices:
                raise ConfigError(
                    f"--{field.name} must be one of {', '.join(choices)}. Received: {value}"
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
        if unknown := [name for name in self.metrics if name not in TRAINING_METRICS]:
            raise ConfigError(
                f"--metrics must be some of {', '.join(TRAINING_METRICS)} (oasis_tf.evaluate has "
                f"others). Received: {', '.join(unknown)}"
            )
        if self.segmenter is None:
            needing = [
                f"--metrics {name}" for name in self.metrics if METRICS[name].needs_segmenter
            ]
            if self.features == "segmenter":
                needing.append("--features segmenter")
            if needing:
                raise ConfigError(
                    f"{needing[0]} needs --segmenter DIR, which python -m oasis_tf.train_segmenter "
                    "makes. Received: none"
                )
        if self.init_classes != INIT_CLASSES[0] and self.init_from is None:
            raise ConfigError(f"--init_classes needs --init_from. Received: {self.init_classes}")
        for name in ("labelmix_weight", "perceptual_weight", "noise_channels"):
            if getattr(self, name) < 0:
                raise ConfigError(f"--{name} must not be negative. Received: {getattr(self, name)}")
        self._check_ablations()
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"--seed must be in [0, 2^32). Received: {self.seed}")
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

    def _check_ablations(self):
        """Raises ConfigError where settings that differ from the paper do not go together."""
        if self.noise_layers == "first" and not self.noise_channels:
            raise ConfigError(
                "--noise_layers first needs noise, --noise_channels of 1 or more. Received: 0"
            )
        if self.perceptual_weight and self.vgg_weights is None:
            raise ConfigError(
                "--perceptual_weight needs --vgg_weights FILE, the weights of VGG19 as "
                "keras.applications has them, without the top. Received: none"
            )
        if self.vgg_weights is not None and not self.perceptual_weight:
            raise ConfigError(
                "--vgg_weights is for the perceptual loss, --perceptual_weight of more than 0. "
                f"Received: {self.vgg_weights} and a weight of 0"
            )
        if self.discriminator != "real_fake":
            return
        wrong = []
        if self.labelmix_weight:
            wrong.append(f"--labelmix_weight {self.labelmix_weight:g}, not 0")
        if self.class_balance != "none":
            wrong.append(f"--class_balance {self.class_balance}, not none")
        if self.segmenter is None and not self.metrics:
            wrong.append("neither --segmenter nor --metrics to choose the best checkpoint by")
        if wrong:
            raise ConfigError(
                "--discriminator real_fake knows no classes: it has no LabelMix, nothing to "
                "balance and no mIoU of its own. Received: " + "; ".join(wrong)
            )

    def total_steps(self, examples):
        """Steps of the whole run over a training split of `examples` pictures."""
        if self.steps is not None:
            return self.steps
        return math.ceil(self.epochs * examples / self.batch_size)


def settings():
    """The fields of `Config` that are settings: all but `dataset`."""
    return [field for field in dataclasses.fields(Config) if field.metadata]


def save_config(model_dir, config, data):
    """Writes `config.json` of a run, atomically.

    Args:
        model_dir: an existing directory.
        config: the resolved `Config`.
        data: JSON-able dict: what `data_pipeline.labels.legend.Legend.to_json` gives and, of a
            training run, `shards`, the records' checksums by name.
    """
    path = Path(model_dir) / "config.json"
    content = {"format_version": FORMAT_VERSION, "config": dataclasses.asdict(config), "data": data}
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def config_from_json(content):
    """The `Config` that `dataclasses.asdict` and JSON have made a dict of, in any version.

    Raises:
        ConfigError, TypeError, ValueError: the dict is none of a `Config`.
    """
    fields = dict(content)
    for name in ("image_size", "metrics"):
        if name in fields:
            fields[name] = tuple(fields[name])
    # What runs did before there was a choice.
    fields.setdefault("start", "released")
    return Config(**fields)


def load_config(model_dir):
    """Reads `config.json` of a run: (`Config`, data dict).

    Raises:
        ConfigError: the file is missing, no configuration, or of a later format.
    """
    path = Path(model_dir) / "config.json"
    try:
        content = json.loads(path.read_text())
        version = content.get("format_version", 0)
        if version not in range(FORMAT_VERSION + 1):
            raise _OtherFormatError(version)
        return config_from_json(content["config"]), content["data"]
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; the directory holds no run.") from None
    except _OtherFormatError as error:
        raise ConfigError(
            f"{path}: format_version must be at most {FORMAT_VERSION}; a later version of this "
            f"software reads later ones. Received: {error}"
        ) from None
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ConfigError(f"{path}: not the configuration of a run ({error}).") from None


class _OtherFormatError(Exception):
    """The file is of a format that this version does not know."""


def check_resumable(model_dir, config, data):
    """Compares a run's saved configuration with the one asked for.

    Returns:
        `Config` to go on with: the one asked for, but `init_from` and `init_classes` as they
        were, for it is not read again.

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
    fixed = ["dataset", *(f.name for f in settings() if not f.metadata["may_change"])]
    differences = [
        f"{name}: began with {saved[name]}, received {asked[name]}"
        for name in fixed
        if saved[name] != asked[name]
    ]
    if saved_data["shards"] != data["shards"]:
        differences.append("data: --data_dir holds other records than the run began with")
    if differences:
        raise ConfigError(
            f"--model_dir {model_dir} holds a run of another configuration; choose another "
            "directory or the same settings:\n  " + "\n  ".join(differences)
        )
    return dataclasses.replace(
        config, init_from=saved_config.init_from, init_classes=saved_config.init_classes
    )
