"""Trains OASIS: `python -m oasis_tf.train --dataset lvis --data_dir DIR --model_dir DIR`."""

import argparse
import contextlib
import dataclasses
import signal
import sys
import typing
from pathlib import Path

from data_pipeline.errors import OasisError
from data_pipeline.locking import LOCK, locked
from data_pipeline.paths import PathAction, local_path
from data_pipeline.proxy import reach_own_machines
from oasis_tf.config import GROUPS, ConfigError, check_resumable, save_config, settings
from oasis_tf.configs import PRESETS, toy
from oasis_tf.console import report, say
from oasis_tf.model_path import check_model_path
from oasis_tf.tf_setup import quick_graphs, quiet_log
from oasis_tf.training.advice import length, warnings
from oasis_tf.training.devices import unused_gpu
from oasis_tf.training.score_names import score_title
from oasis_tf.training.signals import StopRequest, hear_again
from oasis_tf.training.strategy import (
    MULTI_WORKER,
    STRATEGIES,
    check_alone,
    check_batch,
    check_compiled,
    is_chief,
    make_strategy,
    read_cluster,
)

# EX_TEMPFAIL of sysexits.h: nothing is wrong with the command, try again.
RESTART = 75

# How long a dispatcher may take to answer.
DATA_SERVICE_SECONDS = 10


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.train",
        description="Trains OASIS on records built by `python -m data_pipeline.build`. "
        "Running the same command again resumes. The defaults below are the paper's; the page of "
        "the data set in oasis_tf/configs, and --toy, have some of their own.",
    )
    parser.add_argument("--dataset", required=True, choices=sorted(PRESETS), help="the preset")
    parser.add_argument("--data_dir", required=True, action=PathAction, help="the records")
    parser.add_argument(
        "--model_dir", required=True, action=PathAction, help="checkpoints, TensorBoard"
    )
    parser.add_argument(
        "--toy", action="store_true", help="narrow networks and quick settings, minutes on a CPU"
    )
    groups = {name: parser.add_argument_group(name) for name in GROUPS}
    groups["networks"].add_argument(
        "--base_channels", type=int, help="--generator_channels and --discriminator_channels in one"
    )
    for field in settings():
        groups[field.metadata["group"]].add_argument(f"--{field.name}", **_flag(field))
    place = parser.add_argument_group("where it runs")
    place.add_argument(
        "--strategy",
        choices=STRATEGIES,
        help="one device, all of this machine, all of the machines in TF_CONFIG, or a TPU (not "
        "tried on one); default: "
        "mirrored where there are several GPUs",
    )
    place.add_argument(
        "--data_service",
        metavar="grpc://HOST:PORT",
        help="read the training data through a tf.data service, see python -m "
        "data_pipeline.service; resuming begins a new epoch",
    )
    place.add_argument(
        "--deterministic",
        action="store_true",
        help="the same numbers to the last bit on a GPU too, slower",
    )
    groups["metrics"].add_argument(
        "--histograms", action="store_true", help="the weights' histograms in TensorBoard"
    )
    return parser.parse_args(argv)


def _flag(field):
    """What argparse needs to know of a setting. A flag that is not given leaves None."""
    kind = next(t for t in typing.get_args(field.type) or [field.type] if t is not type(None))
    options = {"help": field.metadata["help"]}
    if kind is bool:
        return {**options, "action": "store_true", "default": None}
    if field.name == "image_size":
        return {**options, "type": int, "nargs": 2, "metavar": ("H", "W")}
    if field.name == "metrics":
        return {**options, "type": _names, "metavar": "LIST"}
    if field.default is not None:
        options["help"] += f"; default: {field.default}"
    if field.metadata["choices"]:
        return {**options, "choices": field.metadata["choices"]}
    return {**options, "type": kind, "metavar": {int: "N", float: "X", str: "PATH"}[kind]}


def _names(text):
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")))


def resolve_config(arguments, manifest):
    """The preset, its toy twin if asked for, and the overrides.

    Args:
        arguments: from `parse_arguments`.
        manifest: `data_pipeline.records.manifest.Manifest` of the records.

    Returns:
        `oasis_tf.config.Config`.

    Raises:
        ConfigError: an impossible setting, or records of another data set or size.
    """
    if manifest.dataset != arguments.dataset:
        raise ConfigError(
            f"--dataset must be what --data_dir {arguments.data_dir} holds, "
            f"{manifest.dataset}. Received: {arguments.dataset}"
        )
    config = PRESETS[arguments.dataset]
    if arguments.toy:
        config = toy(config)
    overrides = {field.name: getattr(arguments, field.name) for field in settings()}
    if arguments.epochs is not None:
        if arguments.steps is not None:
            raise ConfigError(
                "--epochs and --steps both say how long; give one of them. "
                f"Received: --epochs {arguments.epochs} --steps {arguments.steps}"
            )
        # The toy twin has steps, which would count for more.
        config = dataclasses.replace(config, steps=None)
    if arguments.base_channels is not None:
        if arguments.base_channels < 1:
            raise ConfigError(
                f"--base_channels must be positive. Received: {arguments.base_channels}"
            )
        for name in ("generator_channels", "discriminator_channels"):
            if overrides[name] is None:
                overrides[name] = arguments.base_channels
    # A preset of keras-hub is no path.
    for name in ("segmenter", "init_from", "vgg_weights"):
        if overrides[name] is not None:
            path = local_path(overrides[name], f"--{name}")
            if path.exists():
                overrides[name] = str(path.resolve())
    built = tuple(manifest.image_size)
    asked = tuple(arguments.image_size or built)
    overrides["image_size"] = asked
    config = dataclasses.replace(config, **{k: v for k, v in overrides.items() if v is not None})
    if asked != built:
        raise ConfigError(
            f"--image_size must be that of the records in {arguments.data_dir}, "
            f"{built[0]} {built[1]}. Received: {asked[0]} {asked[1]}; build records of that size "
            "with python -m data_pipeline.build --image_size"
        )
    return config


def main(argv=None):
    """Runs the command; returns the exit code."""
    arguments = parse_arguments(argv)
    quiet_log()
    reach_own_machines()
    from data_pipeline.records.manifest import Manifest

    try:
        check_model_path(arguments.model_dir, "--model_dir")
        cluster = read_cluster() if arguments.strategy == MULTI_WORKER else None
        if arguments.strategy is None:
            check_alone()
        manifest = Manifest.read(arguments.data_dir)
        config = resolve_config(arguments, manifest)
        _check_data(config, manifest, arguments.data_dir)
        if cluster:
            check_batch(config, cluster.workers, "workers")
        with StopRequest().listening() as stop:
            outcome, chief = _train(arguments, config, manifest, cluster, stop)
    except OasisError as error:
        say(f"error: {error}")
        return 2
    except _LostWorker as error:
        say(f"error: {error}")
        return RESTART
    except KeyboardInterrupt:
        say("interrupted before the first step")
        return 130
    if not chief:
        say(f"done at step {outcome.step}; the chief has written the run")
        return _exit_code(outcome)
    return _report(arguments, outcome)


def _check_networks(config, manifest):
    """Loads the networks of others, so that what is wrong with them is told before training."""
    if config.vgg_weights is not None:
        from oasis_tf.models.vgg import VggFeatures

        VggFeatures(config.vgg_weights)
    if config.segmenter is None:
        return
    from oasis_tf.segmenters.segmenter import load_segmenter

    load_segmenter(config.segmenter).table(manifest.class_names)
    if config.features == "segmenter":
        from oasis_tf.segmenters.features import SegmenterFeatures

        SegmenterFeatures(config.segmenter)


def _check_data(config, manifest, data_dir):
    from data_pipeline.errors import DataError

    if "train" not in manifest.splits:
        raise DataError(f"{data_dir} must hold a train split. Received: {list(manifest.splits)}")
    examples = manifest.splits["train"].examples
    if examples < config.batch_size:
        raise DataError(
            f"{data_dir}: the train split must hold at least --batch_size {config.batch_size} "
            f"pictures. Received: {examples}"
        )


def _check_data_service(url):
    from data_pipeline.reading.service_address import check_data_service

    if not check_data_service(url, DATA_SERVICE_SECONDS):
        say(f"{url} has no worker yet; the first step waits for one")


def _identity(manifest):
    """What the classes are, and every byte of the records, which must not change under a run."""
    from data_pipeline.labels.legend import Legend

    return {
        **Legend.of(manifest).to_json(),
        "shards": {s.name: s.sha256 for split in manifest.splits.values() for s in split.shards},
    }


def _open_strategy(arguments, cluster):
    """Sets TensorFlow up, before it computes anything; waits for the other workers."""
    import tensorflow as tf

    if arguments.deterministic:
        tf.config.experimental.enable_op_determinism()
    quick_graphs()
    if cluster:
        say(f"worker {cluster.index} of {cluster.workers}; waiting for the others")
    with _explaining(arguments):
        strategy = make_strategy(arguments.strategy)
    hear_again()
    return strategy


@contextlib.contextmanager
def _opened_model_dir(model_dir, config, manifest, writes):
    """Makes the run's directory, or checks that it may go on, and holds it.

    Yields the `Config` to go on with.
    """
    from data_pipeline.labels.legend import Legend
    from oasis_tf.checkpoints.run_dir import has_begun, open_run_dir

    data = _identity(manifest)
    with contextlib.ExitStack() as held:
        try:
            if has_begun(model_dir):
                config = check_resumable(model_dir, config, data)
            elif model_dir.exists():
                _check_unused(model_dir)
            if config.init_from is not None and not has_begun(model_dir):
                open_run_dir(config.init_from).check_fits(config, Legend.of(manifest))
            if writes:
                model_dir.mkdir(parents=True, exist_ok=True)
                if note := held.enter_context(locked(model_dir)):
                    say(f"note: {note}")
                save_config(model_dir, config, data)
        except BlockingIOError:
            raise ConfigError(
                f"--model_dir must be no other training's. Received: {model_dir}, which a training "
                "that is still running writes in"
            ) from None
        except OSError as error:
            raise ConfigError(
                f"--model_dir {model_dir} must be a writable directory: {error}"
            ) from None
        yield config


def _check_unused(model_dir):
    """Raises ConfigError if the directory holds what a new run must not touch.

    Without a checkpoint nothing has begun: what a start leaves that failed is no obstacle.
    """
    if any((model_dir / "best").glob("*.index")):
        raise ConfigError(
            f"--model_dir {model_dir} holds the best checkpoint of a run, and none to go on from; "
            f"choose another directory and start from it with --init_from {model_dir}"
        )
    names = {path.name for path in model_dir.iterdir()}
    # A kill while the very first file was written leaves only its temporary name.
    if names - {"config.json.tmp", LOCK} and "config.json" not in names:
        raise ConfigError(f"--model_dir {model_dir} must be empty or hold a run.")


class _LostWorker(Exception):
    """Another worker is gone, and with it the way to make another step."""


@contextlib.contextmanager
def _explaining(arguments):
    """Turns TensorFlow's errors that are not ours into what can be done about them."""
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    import tensorflow as tf

    from data_pipeline.reading.reader import READ_ERRORS, explain_read_error
    from oasis_tf.training.disk import explain_disk_error, is_disk_error

    lost = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    )
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        if is_disk_error(error):
            raise explain_disk_error(arguments.model_dir, error) from error
        raise ConfigError(
            "the memory of the device does not hold a step; a smaller --batch_size takes less, "
            "--accumulate N makes the same batch in N parts, --rematerialize computes blocks twice "
            f"instead of keeping them, a smaller --base_channels makes narrower networks. "
            f"Received: {str(error).splitlines()[0] if str(error) else 'out of memory'}"
        ) from error
    except READ_ERRORS as error:
        raise explain_read_error(arguments.data_dir, error) from error
    except (tf.errors.OpError, OSError) as error:
        if arguments.strategy == MULTI_WORKER and isinstance(error, lost):
            raise _LostWorker(
                "another worker is gone or cannot be reached; start all of them again, and they "
                "go on from the last checkpoint"
            ) from error
        raise explain_disk_error(arguments.model_dir, error) from error


def _train(arguments, config, manifest, cluster, stop):
    """Sets everything up and trains: (`Outcome`, whether this process is the chief)."""
    strategy = _open_strategy(arguments, cluster)
    _check_networks(config, manifest)
    if arguments.data_service is not None:
        _check_data_service(arguments.data_service)
    check_batch(config, strategy.num_replicas_in_sync)
    check_compiled(config, strategy)
    writes = is_chief(strategy)
    with _opened_model_dir(arguments.model_dir, config, manifest, writes) as config:
        return _train_in(arguments, config, manifest, strategy, stop), writes


def _train_in(arguments, config, manifest, strategy, stop):
    """Trains in --model_dir, which this process holds: `Outcome`."""
    from oasis_tf.training.loop import Run

    height, width = config.image_size
    say(
        f"{config.dataset}: {manifest.splits['train'].examples} pictures of {height}x{width}, "
        f"{manifest.num_classes} classes with unlabelled, batches of {config.batch_size}"
    )
    with _explaining(arguments):
        run = Run(
            config,
            manifest,
            arguments.data_dir,
            arguments.model_dir,
            histograms=arguments.histograms,
            strategy=strategy,
            data_service=arguments.data_service,
            stop=stop,
        )
        for note in run.notes:
            say(f"note: {note}")
        examples = manifest.splits["train"].examples
        say(length(run.total_steps, examples, config.batch_size, run.devices))
        if line := unused_gpu():
            say(f"warning: {line}")
        if run.is_complete:
            say(f"the run is complete at step {run.start_step}; --steps N makes it longer")
        else:
            say(f"{run.size}; {'resuming at' if run.start_step else 'from'} step {run.start_step}")
            for warning in warnings(config, examples):
                say(f"warning: {warning}")
            say("the first step takes longer, for the graph is built in it")
        return run.train()


def _report(arguments, outcome):
    """Says where everything lies and what to do next, on stdout; returns the exit code."""
    tensorboard = Path(sys.executable).with_name("tensorboard")
    if tensorboard.is_relative_to(Path.cwd()):
        tensorboard = tensorboard.relative_to(Path.cwd())
    rows = [("step", outcome.step), ("checkpoint", outcome.checkpoint)]
    if outcome.best_checkpoint:
        score = "chosen by another score"
        if outcome.best_score is not None:
            score = f"{score_title(outcome.chosen_by)} {outcome.best_score:.4g}"
        rows.append(("best so far", f"{outcome.best_checkpoint}  ({score})"))
    if outcome.pictures:
        rows.append(("pictures", f"{outcome.pictures}  (labels | photograph | generated)"))
    rows.append(("TensorBoard", f"{tensorboard} --logdir {arguments.model_dir}"))
    if outcome.stopped_by is None:
        rows.append(("next", f"the same command with --steps {2 * outcome.step} trains on"))
    else:
        name = signal.Signals(outcome.stopped_by).name
        rows.append(("next", f"stopped by {name}; the same command goes on from here"))
    for name, value in rows:
        report(f"{name:<12} {value}")
    return _exit_code(outcome)


def _exit_code(outcome):
    return 0 if outcome.stopped_by is None else 128 + outcome.stopped_by


if __name__ == "__main__":
    sys.exit(main())
