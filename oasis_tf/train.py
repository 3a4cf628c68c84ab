"""Trains OASIS: `python -m oasis_tf.train --dataset lvis --data_dir DIR --model_dir DIR`."""

import argparse
import dataclasses
import os
import signal
import sys
from pathlib import Path

from oasis_tf.config import PRECISIONS, ConfigError, check_resumable, save_config
from oasis_tf.configs import PRESETS, toy
from oasis_tf.quick_graphs import quick_graphs


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.train",
        description="Trains OASIS on records built by `python -m data_pipeline.build`. "
        "Running the same command again resumes.",
    )
    parser.add_argument("--dataset", required=True, choices=sorted(PRESETS), help="the preset")
    parser.add_argument("--data_dir", required=True, type=Path, help="the records")
    parser.add_argument("--model_dir", required=True, type=Path, help="checkpoints, TensorBoard")
    parser.add_argument(
        "--toy", action="store_true", help="narrow networks and quick settings, minutes on a CPU"
    )
    parser.add_argument("--image_size", type=int, nargs=2, metavar=("H", "W"))
    parser.add_argument("--base_channels", type=int, help="base width of both networks")
    for name in ("batch_size", "epochs", "steps", "seed"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("generator_lr", "discriminator_lr", "labelmix_weight", "ema_decay"):
        parser.add_argument(f"--{name}", type=float)
    for name in ("log", "evaluate", "pictures", "checkpoint"):
        parser.add_argument(f"--{name}_every", type=int, metavar="STEPS")
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of the convolutions; all else stays float32"
    )
    parser.add_argument(
        "--share_pictures",
        action="store_true",
        default=None,
        help="the discriminator learns from the pictures of the generator's update: quicker, "
        "not the paper's",
    )
    parser.add_argument(
        "--rematerialize",
        action="store_true",
        default=None,
        help="blocks run again for their gradients: less memory, more time, the same numbers",
    )
    parser.add_argument(
        "--init_from",
        type=Path,
        metavar="DIR",
        help="start from the weights of another run, or of python -m oasis_tf.convert",
    )
    parser.add_argument(
        "--segmenter",
        metavar="PATH",
        help="keep the checkpoint whose pictures this one segments best, instead of the "
        "discriminator; of python -m oasis_tf.train_segmenter",
    )
    parser.add_argument("--histograms", action="store_true", help="weights, in TensorBoard")
    return parser.parse_args(argv)


def resolve_config(arguments, manifest):
    """The preset, its toy twin if asked for, and the overrides.

    Args:
        arguments: from `parse_arguments`.
        manifest: `data_pipeline.manifest.Manifest` of the records.

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
    overrides = {
        field.name: getattr(arguments, field.name, None) for field in dataclasses.fields(config)
    }
    if arguments.base_channels is not None:
        if arguments.base_channels < 1:
            raise ConfigError(
                f"--base_channels must be positive. Received: {arguments.base_channels}"
            )
        overrides["generator_channels"] = arguments.base_channels
        overrides["discriminator_channels"] = arguments.base_channels
    if arguments.segmenter is not None and Path(arguments.segmenter).exists():
        overrides["segmenter"] = str(Path(arguments.segmenter).resolve())
    built = tuple(manifest.image_size)
    if arguments.init_from is not None:
        overrides["init_from"] = str(arguments.init_from.resolve())
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
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from data_pipeline.errors import DataError
    from data_pipeline.legend import Legend
    from data_pipeline.manifest import Manifest
    from oasis_tf.model_dir import open_model_dir

    try:
        manifest = Manifest.read(arguments.data_dir)
        config = resolve_config(arguments, manifest)
        _check_data(config, manifest, arguments.data_dir)
        if config.init_from is not None:
            open_model_dir(config.init_from).check_fits(config, Legend.of(manifest))
        if config.segmenter is not None:
            from oasis_tf.metrics.segmenter import load_segmenter

            load_segmenter(config.segmenter).table(manifest.class_names)
        data = _identity(manifest)
        _open_model_dir(arguments.model_dir, config, data)
        outcome = _train(arguments, config, manifest)
    except (ConfigError, DataError, ArithmeticError) as error:
        _say(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        _say("interrupted before the first step")
        return 130
    return _report(arguments, outcome)


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


def _identity(manifest):
    """What the classes are, and every byte of the records, which must not change under a run."""
    from data_pipeline.legend import Legend

    return {
        **Legend.of(manifest).to_json(),
        "shards": {s.name: s.sha256 for split in manifest.splits.values() for s in split.shards},
    }


def _open_model_dir(model_dir, config, data):
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        if (model_dir / "config.json").exists():
            check_resumable(model_dir, config, data)
        # A kill while the very first file was written leaves only its temporary name.
        elif any(path.name != "config.json.tmp" for path in model_dir.iterdir()):
            raise ConfigError(f"--model_dir {model_dir} must be empty or hold a run.")
        save_config(model_dir, config, data)
    except OSError as error:
        raise ConfigError(
            f"--model_dir {model_dir} must be a writable directory: {error}"
        ) from None


def _train(arguments, config, manifest):
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    import tensorflow as tf

    from data_pipeline.reader import explain_read_error
    from oasis_tf.training.loop import Run

    quick_graphs()
    height, width = config.image_size
    _say(
        f"{config.dataset}: {manifest.splits['train'].examples} pictures of {height}x{width}, "
        f"{manifest.num_classes} classes with unlabelled, batches of {config.batch_size}"
    )
    run = Run(
        config,
        manifest,
        arguments.data_dir,
        arguments.model_dir,
        histograms=arguments.histograms,
    )
    if run.start_step >= run.total_steps:
        _say(f"the run is complete at step {run.start_step}; --steps N makes it longer")
    else:
        _say(f"{run.size}; {'resuming at' if run.start_step else 'from'} step {run.start_step}")
        _say("the first step takes longer, for the graph is built in it")
    try:
        return run.train()
    except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
        raise explain_read_error(arguments.data_dir, error) from error


def _say(line):
    print(line, file=sys.stderr, flush=True)


def _report(arguments, outcome):
    """Where everything lies and what to do next, on stdout; returns the exit code."""
    tensorboard = Path(sys.executable).with_name("tensorboard")
    if tensorboard.is_relative_to(Path.cwd()):
        tensorboard = tensorboard.relative_to(Path.cwd())
    rows = [("step", outcome.step), ("checkpoint", outcome.checkpoint)]
    if outcome.best_checkpoint:
        judge = "segmenter" if arguments.segmenter else "discriminator"
        score = f"mIoU by the {judge} {outcome.best_score:.3f}"
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
        print(f"{name:<12} {value}")
    return 0 if outcome.stopped_by is None else 128 + outcome.stopped_by


if __name__ == "__main__":
    sys.exit(main())
