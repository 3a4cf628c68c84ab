"""Exports a trained generator: `python -m oasis_tf.export --model PATH --out saved_models/NAME`."""

import argparse
import importlib.util
import math
import sys
from typing import NamedTuple

from data_pipeline.errors import OasisError
from data_pipeline.paths import PathAction
from oasis_tf.config import ConfigError
from oasis_tf.model_path import check_model_path
from oasis_tf.outputs import check_directory
from oasis_tf.tf_setup import quiet_log


class _File(NamedTuple):
    """A format of one file: the end of its name, and the modules that its extra brings."""

    suffix: str
    modules: tuple[str, ...]


_FILES = {
    "onnx": _File(".onnx", ("onnx", "onnxruntime")),
    "litert": _File(".tflite", ("ai_edge_litert",)),
}


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.export",
        description="Writes the averaged generator, with batch norm and spectral norm fused into "
        "its weights: as the next version of a SavedModel for TensorFlow Serving, or as one file "
        "for another engine, which is run to see that it draws the same pictures.",
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
        metavar="PATH",
        help="saved_models/NAME, where the version becomes saved_models/NAME/<number>; of the "
        "other formats the file, NAME.onnx or NAME.tflite",
    )
    parser.add_argument(
        "--format",
        choices=("saved_model", *_FILES),
        default="saved_model",
        help="onnx: for onnxruntime, OpenVINO and others; litert: TensorFlow Lite, for phones. "
        "Defaults to saved_model",
    )
    parser.add_argument(
        "--weights",
        choices=("float32", "float16"),
        default="float32",
        help="of an onnx or litert file; float16 is half the size. Defaults to float32",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of a SavedModel's convolutions; bfloat16 where the processor has it. Defaults to "
        "float32",
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
        _check(arguments)
        for title, value in _export(arguments).items():
            print(f"{title:<12} {value}")
    except (OasisError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    return 0


def _check(arguments):
    """Tells at once of all that is wrong with the arguments among themselves."""
    wrong = []
    name, file = arguments.format, _FILES.get(arguments.format)
    if file is None and arguments.out.suffix in (other.suffix for other in _FILES.values()):
        wrong.append(
            f"--out must be a directory for --format saved_model. Received: {arguments.out}, the "
            "name of a file of another --format"
        )
    if file is None and arguments.weights != "float32":
        wrong.append(
            f"--weights {arguments.weights} is for --format onnx or litert. Received: "
            "--format saved_model"
        )
    if file is not None:
        if arguments.precision != "float32":
            wrong.append(
                f"--precision {arguments.precision} is for --format saved_model. Received: "
                f"--format {name}"
            )
        if arguments.out.suffix != file.suffix or arguments.out.is_dir():
            wrong.append(
                f"--out must be a file NAME{file.suffix} for --format {name}. Received: "
                f"{arguments.out}{', a directory' if arguments.out.is_dir() else ''}"
            )
        missing = [module for module in file.modules if not importlib.util.find_spec(module)]
        if missing:
            wrong.append(
                f'--format {name} needs the extra {name}: pip install -e ".[{name}]". '
                f"Received: {' and '.join(missing)} not installed"
            )
    if wrong:
        raise ConfigError("\n".join(wrong))


def _export(arguments):
    """Writes the model; returns what to tell of it, a dict from titles."""
    from oasis_tf.checkpoints.run_dir import open_run_dir

    if arguments.format == "saved_model":
        check_model_path(arguments.out, "--out")
        check_directory(arguments.out)
    else:
        check_directory(arguments.out.parent, "the directory of --out")
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
    from oasis_tf.serving.exporting.model_info import ModelInfo

    info = ModelInfo(
        legend=model.legend,
        config=model.config,
        precision=arguments.precision,
        max_pixels=arguments.max_pixels,
        scores=_scores(model.checkpoint),
    )
    _say("writing the graph; this takes a while")
    if arguments.format == "saved_model":
        from oasis_tf.serving.exporting.export_model import export_model

        version = export_model(generator, info, arguments.out)
        next_command = f"python -m oasis_tf.serve --model_base_path {arguments.out}"
        return {"version": version, "next": next_command}
    if arguments.format == "onnx":
        from oasis_tf.serving.exporting.onnx_file import write_onnx as write
    else:
        from oasis_tf.serving.exporting.litert_file import write_litert as write

    differences = write(generator, info, arguments.out, weights=arguments.weights)
    return {
        "file": f"{arguments.out}, {arguments.out.stat().st_size / 1e6:.1f} MB",
        "card": f"{arguments.out}.md",
        "difference": f"at most {differences.trained:.2g} in [-1, 1] from the trained network",
    }


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
