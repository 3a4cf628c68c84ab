"""Exports a trained generator: `python -m oasis_tf.export --model PATH --out saved_models/NAME`."""

import argparse
import math
import sys

from data_pipeline.errors import OasisError
from data_pipeline.paths import PathAction
from oasis_tf.config import ConfigError
from oasis_tf.model_path import check_model_path
from oasis_tf.outputs import check_directory
from oasis_tf.tf_setup import quiet_log


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.export",
        description="Writes the averaged generator as the next version of a SavedModel for "
        "TensorFlow Serving, with batch norm and spectral norm fused into its weights.",
    )
    parser.add_argument(
        "--model",
        required=True,
        action=PathAction,
        metavar="PATH",
        help="a training run or a converted checkpoint",
    )
    parser.add_argument(
        "--out",
        required=True,
        action=PathAction,
        metavar="DIR",
        help="saved_models/NAME, where the version becomes saved_models/NAME/<number>",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the convolutions; bfloat16 where the processor has it. Defaults to float32",
    )
    parser.add_argument(
        "--max_pixels",
        type=int,
        default=2**20,
        help="of one picture, so that no request takes all memory. Defaults to %(default)s",
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    arguments = parse_arguments(argv)
    quiet_log()
    try:
        version = _export(arguments)
    except (OasisError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    print(f"{'version':<12} {version}")
    print(f"{'next':<12} python -m oasis_tf.serve --model_base_path {arguments.out}")
    return 0


def _export(arguments):
    from oasis_tf.checkpoints.run_dir import open_run_dir

    check_model_path(arguments.out, "--out")
    check_directory(arguments.out)
    model = open_run_dir(arguments.model)
    height, width = model.config.image_size
    if arguments.max_pixels < height * width:
        raise ConfigError(
            f"--max_pixels must allow the pictures of the training, {height}x{width}. "
            f"Received: {arguments.max_pixels}"
        )
    _say(f"checkpoint: {model.title}")
    generator = model.load_generator()
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    from oasis_tf.serving.exporting.export_model import export_model
    from oasis_tf.serving.exporting.model_info import ModelInfo

    info = ModelInfo(
        legend=model.legend,
        config=model.config,
        precision=arguments.precision,
        max_pixels=arguments.max_pixels,
        scores=_scores(model.checkpoint),
    )
    _say("writing the graph; this takes a while")
    return export_model(generator, info, arguments.out)


def _scores(checkpoint):
    """What the training knows of the checkpoint's quality: a dict from titles to floats."""
    import tensorflow as tf

    from oasis_tf.training.chosen_by import ChosenBy
    from oasis_tf.training.score_names import CHEAP_SCORE, higher_is_better, score_title

    reader = tf.train.load_checkpoint(checkpoint)

    def read(name, attribute="VARIABLE_VALUE"):
        key = f"{name}/.ATTRIBUTES/{attribute}"
        return reader.get_tensor(key) if reader.has_tensor(key) else None

    scores = {}
    if (step := read("step")) is not None:
        scores["training step"] = float(step)
    best = read("best_score")
    # Infinite as long as nothing has been chosen.
    if best is not None and math.isfinite(best):
        chosen_by = ChosenBy()
        if (state := read("chosen_by", "py_state")) is not None:
            chosen_by.deserialize(state)
        # What chose in runs that did not keep the name.
        name = chosen_by.name or CHEAP_SCORE
        title = score_title(name)
        # Kept so that the larger is the better.
        if not higher_is_better(name):
            title, best = f"{title} (lower is better)", -best
        scores[f"{title}, best of the run"] = float(best)
    return scores


def _say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
