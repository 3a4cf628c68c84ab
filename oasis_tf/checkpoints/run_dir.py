"""A directory with trained networks: a training run, or a converted checkpoint.

Both hold `config.json` (the configuration and the classes) and TensorFlow checkpoints with
`generator`, `ema_generator` and `discriminator`. TensorFlow is imported where weights are read,
so that a mistake in the arguments is told at once.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.errors import DataError, first_line
from data_pipeline.labels.legend import Legend
from oasis_tf.checkpoints.class_names import shared_classes
from oasis_tf.checkpoints.found import checkpoints_in
from oasis_tf.config import Config, ConfigError, load_config
from oasis_tf.model_path import check_model_path

# The settings that say which variables the networks have.
_NETWORKS = (
    "generator_channels",
    "discriminator_channels",
    "spade_channels",
    "noise_channels",
    "noise_layers",
    "discriminator",
)


@dataclass(frozen=True)
class RunDir:
    """What a directory says of its networks, and the way to their weights.

    Attributes:
        path: the directory.
        config: `Config` of the networks (and of the training, in a run).
        legend: `Legend`, the classes.
        data: the dict that `config.json` holds beside the configuration.
    """

    path: Path
    config: Config
    legend: Legend
    data: dict

    # Found once, so that all that is read and said is of the same one while a training goes on.
    @functools.cached_property
    def checkpoint(self):
        """Path of the best checkpoint, or of the newest where none is the best yet.

        The batch-norm statistics of the best one's averaged generator are its own; those of
        others belong to the generator in training, which is close.

        Raises:
            DataError: there is no checkpoint, or one whose files are not all there.
        """
        for name in ("best", "checkpoints"):
            if found := checkpoints_in(self.path / name):
                return found[-1]
            if left := sorted(
                path.name
                for path in (self.path / name).glob("*")
                if path.name == "checkpoint" or ".data-" in path.name
            ):
                raise DataError(
                    f"{self.path / name} must hold a checkpoint's .index and .data files. "
                    f"Received: {', '.join(left)} alone"
                )
        raise DataError(f"{self.path} must hold a checkpoint, in best/ or checkpoints/")

    @property
    def title(self):
        """What `checkpoint` is, in a few words: "runs/x step 400 (best)"."""
        kept, name = Path(self.checkpoint).parts[-2:]
        what, _, number = name.rpartition("-")
        if what != "step":
            return f"{self.path} ({what})"
        return f"{self.path} step {number} ({'best' if kept == 'best' else 'newest, none is best'})"

    def load_generator(self):
        """The averaged `Generator`, which draws best.

        Raises:
            DataError: no checkpoint, a damaged one, or one of other widths than the
                configuration says.
        """
        from oasis_tf.models.build import build_generator

        generator = build_generator(self.config, self.legend.num_classes)
        self.restore(ema_generator=generator)
        return generator

    def restore(self, **networks):
        """Sets the weights of networks from the checkpoint.

        Args:
            **networks: `generator`, `ema_generator`, `discriminator`, or some of them.

        Raises:
            DataError: as for `load_generator`.
        """
        import tensorflow as tf

        checkpoint = self.checkpoint
        try:
            status = tf.train.Checkpoint(**networks).restore(checkpoint)
            status.assert_existing_objects_matched().expect_partial()
        # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
        except Exception as error:
            raise DataError(
                f"checkpoint {checkpoint} must be whole and of the widths that "
                f"{self.path / 'config.json'} says. Received: {first_line(error)}"
            ) from error

    def restore_classes(self, legend, networks):
        """Sets the weights of networks of other classes: of those that both have, by name.

        Args:
            legend: `Legend` of the networks.
            networks: {"generator", "ema_generator" or "discriminator": network}, of the same
                widths.

        Returns:
            a line that counts them.

        Raises:
            DataError: as for `load_generator`.
        """
        from oasis_tf.checkpoints.class_transfer import take_classes
        from oasis_tf.models.build import build_discriminator, build_generator

        there, here = self.legend.class_names, legend.class_names
        pairs = shared_classes(here, there)
        # One after the other, for at full width each is 0.3 GB.
        for name, network in networks.items():
            build = build_discriminator if name == "discriminator" else build_generator
            source = build(self.config, len(there))
            self.restore(**{name: source})
            take_classes(network, source, pairs)
        new = [name for i, name in enumerate(here) if i not in dict(pairs)]
        line = f"{len(pairs)} of {len(here)} classes are taken by their names from {self.path}"
        if not new:
            return line
        more = f" and {len(new) - 5} more" if len(new) > 5 else ""
        return f"{line}; {len(new)} start anew: {', '.join(new[:5])}{more}"

    def check_fits(self, config, legend):
        """Raises ConfigError, listing all differences, unless a run could start from here.

        Args:
            config: `Config` of the run.
            legend: `Legend` of its data.
        """
        differences = [
            f"{name}: {getattr(self.config, name)} there, {getattr(config, name)} here"
            for name in _NETWORKS
            if getattr(self.config, name) != getattr(config, name)
        ]
        there, here = self.legend.class_names, legend.class_names
        way_out = "--init_classes by_name takes those of the classes that both have"
        if config.init_classes == "by_name":
            if len(shared_classes(here, there)) < 2:
                differences.append("classes: none of those here is there by the same name")
        elif len(there) != len(here):
            differences.append(f"classes: {len(there)} there, {len(here)} here; {way_out}")
        elif there != here:
            first = next(
                i for i, pair in enumerate(zip(there, here, strict=True)) if len({*pair}) > 1
            )
            differences.append(
                f"class {first}: {there[first]!r} there, {here[first]!r} here; {way_out}"
            )
        if differences:
            raise ConfigError(
                f"--init_from {self.path} must hold networks of the same widths and classes as "
                "the run. Received:\n  " + "\n  ".join(differences)
            )


def has_begun(path):
    """Whether a run in this directory has written a checkpoint to go on from."""
    return any((Path(path) / "checkpoints").glob("*.index"))


def open_run_dir(path):
    """Reads what a directory says of its networks.

    Args:
        path: `--model_dir` of `oasis_tf.train` or `--out` of `oasis_tf.convert`.

    Returns:
        `RunDir`.

    Raises:
        ConfigError: no such directory, or nothing of the kind in it.
        DataError: a path that TensorFlow could not read from.
    """
    path = Path(path)
    check_model_path(path, "a model")
    config, data = load_config(path)
    try:
        legend = Legend.from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"{path / 'config.json'} must name the classes and their colours; the training "
            f"command, run once more, writes them. Received: {error!r}"
        ) from None
    return RunDir(path, config, legend, data)
