"""The authors' checkpoints to ours and back: `python -m oasis_tf.convert --help`."""

import argparse
import dataclasses
import os
import shutil
import sys
from pathlib import Path

from data_pipeline.datasets import DATASETS
from data_pipeline.errors import DataError
from data_pipeline.paths import PathAction
from oasis_tf.cli import run
from oasis_tf.config import save_config
from oasis_tf.configs import PRESETS
from oasis_tf.console import say
from oasis_tf.model_path import check_model_path
from oasis_tf.outputs import check_directory
from oasis_tf.tf_setup import quiet_log

# Those whose classes are known without their annotations.
_SETS = [
    name
    for name, entry in DATASETS.items()
    if entry.fixed_classes or "class_names" in entry.options
]


def parse_arguments(argv=None):
    """Parses the command line; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.convert",
        description="Turns PyTorch checkpoints of the authors' code into one that synthesize, "
        "edit, export, evaluate and train --init_from take; or a model of ours into files that "
        "their code loads.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--released",
        action=PathAction,
        metavar="DIR",
        help="theirs: {which}_{G,EMA,D}.pth, or models/",
    )
    source.add_argument(
        "--model",
        action=PathAction,
        metavar="DIR",
        help="ours: a training run or a converted checkpoint",
    )
    parser.add_argument(
        "--out", required=True, action=PathAction, metavar="DIR", help="a new directory"
    )
    parser.add_argument(
        "--which", default="best", help="best, latest or an iteration number; default: best"
    )
    parser.add_argument(
        "--dataset", choices=_SETS, help="--released: what it was trained on, which names classes"
    )
    parser.add_argument(
        "--class_names",
        action=PathAction,
        metavar="FILE",
        help="--dataset folder: the class list, as for data_pipeline.build",
    )
    arguments = parser.parse_args(argv)
    if arguments.released is not None and arguments.dataset is None:
        parser.error("--released needs --dataset")
    if (arguments.dataset == "folder") != (arguments.class_names is not None):
        parser.error("--dataset folder and --class_names belong together")
    return arguments


def main(argv=None):
    """Runs the command; returns the exit code."""
    quiet_log()
    return run(_convert, parse_arguments(argv))


def _convert(arguments):
    out = arguments.out
    check_model_path(out, "--out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"--out must be a new or an empty directory. Received: {out}")
    check_directory(out.parent)
    # Everything goes into a directory beside it first: what is at --out is complete.
    temporary = Path(f"{out.resolve()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        if arguments.released is not None:
            report = _to_ours(arguments, temporary)
            follow_up = f"python -m oasis_tf.synthesize --model {out} --labels ... --out ..."
        else:
            report = _to_released(arguments, temporary)
            follow_up = f"their test.py with --checkpoints_dir {out.parent} --name {out.name}"
        print(report)
        os.replace(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(f"written to {out}; next: {follow_up}")
    return 0


def _to_ours(arguments, directory):
    legend = _legend(arguments)
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    import tensorflow as tf

    from oasis_tf.checkpoints.released import load_released

    try:
        released = load_released(arguments.released, arguments.which)
    except ValueError as error:  # of the tensors' names and shapes
        raise DataError(str(error)) from None
    generator, discriminator = released.ema_generator, released.discriminator
    if generator.num_classes != legend.num_classes:
        raise DataError(
            f"the checkpoint must have the {legend.num_classes} classes of --dataset "
            f"{arguments.dataset}, unlabelled included. Received: {generator.num_classes}"
        )
    config = dataclasses.replace(
        PRESETS[arguments.dataset],
        generator_channels=generator.base_channels,
        discriminator_channels=discriminator.base_channels,
        spade_channels=generator.hidden,
        noise_channels=generator.noise_channels,
    )
    checkpoint = tf.train.Checkpoint(
        generator=released.generator, ema_generator=generator, discriminator=discriminator
    )
    manager = tf.train.CheckpointManager(
        checkpoint, str(directory / "checkpoints"), max_to_keep=1, checkpoint_name="converted"
    )
    manager.save()
    save_config(directory, config, {**legend.to_json(), "batch_counters": released.counters})
    return released.report


def _legend(arguments):
    entry = DATASETS[arguments.dataset]
    if entry.fixed_classes:
        return entry.legend()
    from data_pipeline.labels.class_list import read_class_list
    from data_pipeline.labels.legend import Legend

    classes = read_class_list(arguments.class_names)
    if classes.palette is None:
        return Legend.coloured(classes.class_names, classes.label_ids)
    colours = classes.rule.colours
    return Legend(classes.class_names, classes.palette, classes.label_ids, colours)


def _to_released(arguments, directory):
    from oasis_tf.checkpoints.run_dir import open_run_dir

    model = open_run_dir(arguments.model)
    config = model.config
    others = [
        f"--{name} {getattr(config, name)}"
        for name, released in (("noise_layers", "all"), ("discriminator", "segmentation"))
        if getattr(config, name) != released
    ]
    if others:
        raise DataError(
            f"--model {arguments.model} must have the networks of the released code, which knows "
            f"no others. Received: a run with {', '.join(others)}"
        )
    say(f"checkpoint: {model.title}")
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    from oasis_tf.checkpoints.released import save_released
    from oasis_tf.models.build import build_discriminator, build_generator

    (directory / "models").mkdir()
    counters = model.data.get("batch_counters", {})
    report = []
    # One after the other, for at full width each is 0.3 GB.
    for part, name, build in (
        ("G", "generator", build_generator),
        ("EMA", "ema_generator", build_generator),
        ("D", "discriminator", build_discriminator),
    ):
        network = build(model.config, model.legend.num_classes)
        model.restore(**{name: network})
        path = directory / "models" / f"{arguments.which}_{part}.pth"
        report.append(save_released(path, part, network, counters.get(part)))
    return "\n".join(report)


if __name__ == "__main__":
    sys.exit(main())
