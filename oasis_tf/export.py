"""Exports a trained generator: `python -m oasis_tf.export --model PATH --out saved_models/NAME`."""

import argparse
import importlib.util
import logging
import math
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from data_pipeline.errors import OasisError
from data_pipeline.paths import PathAction
from oasis_tf.cli import add_model_argument
from oasis_tf.config import ConfigError
from oasis_tf.console import say
from oasis_tf.model_path import check_model_path, find_saved_model, local_model
from oasis_tf.outputs import check_directory
from oasis_tf.tf_setup import quiet_log


class _Format(NamedTuple):
    """What a format is written to, and what it needs.

    Attributes:
        suffix: the end of the file's name, None for a directory.
        extra: of the package, which brings `modules`.
    """

    suffix: str | None = None
    extra: str | None = None
    modules: tuple[str, ...] = ()


_FORMATS = {
    "saved_model": _Format(),
    "onnx": _Format(".onnx", "onnx", ("onnx", "onnxruntime")),
    "litert": _Format(".tflite", "litert", ("ai_edge_litert",)),
    "web": _Format(None, "onnx", ("onnx", "onnxruntime")),
}


# Of whole numbers, the largest that a page's JavaScript has as it is.
_MOST_PIXELS = 2**53 - 1

_WRITING = "writing the graph; this takes a while"


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.export",
        description="Writes the averaged generator, with batch norm and spectral norm fused into "
        "its weights: as the next version of a SavedModel for TensorFlow Serving, as one file for "
        "another engine, which is run to see that it draws the same pictures, or as a page that "
        "needs no more than a web server.",
    )
    add_model_argument(parser)
    parser.add_argument(
        "--out",
        required=True,
        action=PathAction,
        metavar="PATH",
        help="saved_models/NAME, where the version becomes saved_models/NAME/<number>; of onnx "
        "and litert the file, NAME.onnx or NAME.tflite; of web a new directory NAME",
    )
    parser.add_argument(
        "--format",
        choices=tuple(_FORMATS),
        default="saved_model",
        help="onnx: for onnxruntime, OpenVINO and others; litert: TensorFlow Lite, for phones; "
        "web: the editor as a page that draws in the browser. Defaults to saved_model",
    )
    parser.add_argument(
        "--weights",
        choices=("float32", "float16", "int8"),
        default="float32",
        help="of onnx, litert and web; float16 is half the size, int8 a quarter. Defaults to "
        "float32",
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of a SavedModel's convolutions; bfloat16 where the processor has it. Defaults to "
        "float32",
    )
    parser.add_argument(
        "--jit_compile",
        action="store_true",
        help="XLA compiles what a SavedModel draws with, anew for each size of pictures, in "
        "seconds to minutes; for GPUs",
    )
    parser.add_argument(
        "--max_pixels",
        type=int,
        default=2**20,
        help="of one picture, so that no request takes all memory. Defaults to %(default)s",
    )
    parser.add_argument(
        "--onnxruntime_web",
        action=PathAction,
        metavar="FILE",
        help="of web: the package of its engine, where there is no network to fetch it from npm",
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
    wrong, name, out = [], arguments.format, arguments.out
    wanted = _FORMATS[name]
    of_files = [other.suffix for other in _FORMATS.values() if other.suffix]
    if wanted.suffix is None and out.suffix in of_files:
        wrong.append(
            f"--out must be a directory for --format {name}. Received: {out}, the name of a file "
            "of another --format"
        )
    if name == "web" and (there := _why_not_replaced(out)):
        wrong.append(
            f"--out must be a new or an empty directory for --format web. Received: {out}, {there}"
        )
    if arguments.onnxruntime_web and not arguments.onnxruntime_web.is_file():
        wrong.append(
            f"--onnxruntime_web must be a file. Received: {arguments.onnxruntime_web}, "
            f"{'a directory' if arguments.onnxruntime_web.exists() else 'which is not there'}"
        )
    if name != "web" and arguments.onnxruntime_web:
        wrong.append(f"--onnxruntime_web is for --format web. Received: --format {name}")
    if name == "saved_model" and arguments.weights != "float32":
        wrong.append(
            f"--weights {arguments.weights} is for --format onnx, litert or web. Received: "
            "--format saved_model"
        )
    if name != "saved_model" and arguments.jit_compile:
        wrong.append(f"--jit_compile is for --format saved_model. Received: --format {name}")
    if name != "saved_model" and arguments.precision != "float32":
        wrong.append(
            f"--precision {arguments.precision} is for --format saved_model. Received: "
            f"--format {name}"
        )
    if wanted.suffix and (out.suffix != wanted.suffix or out.is_dir()):
        wrong.append(
            f"--out must be a file NAME{wanted.suffix} for --format {name}. Received: "
            f"{out}{', a directory' if out.is_dir() else ''}"
        )
    if wanted.suffix and (card := Path(f"{out}.md")).is_dir():
        wrong.append(f"the card is written to {card}. Received: a directory there")
    if arguments.max_pixels > _MOST_PIXELS:
        wrong.append(
            f"--max_pixels must be at most {_MOST_PIXELS}. Received: {arguments.max_pixels}"
        )
    missing = [module for module in wanted.modules if not importlib.util.find_spec(module)]
    if missing:
        wrong.append(
            f'--format {name} needs the extra {wanted.extra}: pip install -e ".[{wanted.extra}]". '
            f"Received: {' and '.join(missing)} not installed"
        )
    if wrong:
        raise ConfigError("\n".join(wrong))


def _why_not_replaced(directory):
    """Why another directory cannot take this one's name, in a few words; "" if it can."""
    if not directory.is_dir():
        return "a file" if directory.exists() else ""
    if count := len(list(directory.iterdir())):
        return f"which has {count} in it"
    if os.path.ismount(directory):
        return "a mount point: name a directory in it"
    # The shell would stay in the one that is gone, and see nothing there.
    if directory.samefile("."):
        return "where this command was started: name a directory in it"
    return ""


def _open(path, exported):
    """What holds the model: a `RunDir`, or an `ExportedModel` if there is a SavedModel."""
    if exported is not None:
        from oasis_tf.serving.exporting.exported_model import open_exported

        # It warns of gradients that an exported graph has not, and nobody here wants.
        logging.getLogger("absl").setLevel(logging.ERROR)
        return open_exported(exported)
    from oasis_tf.checkpoints.run_dir import open_run_dir

    return open_run_dir(path)


def _export(arguments):
    """Writes the model; returns what to tell of it, a dict from titles."""
    if arguments.format == "saved_model":
        check_model_path(arguments.out, "--out")
        check_directory(arguments.out)
    else:
        out = arguments.out
        place = Path(os.path.realpath(out)) if arguments.format == "web" else out
        check_directory(place.parent, "the directory of --out")
    path = local_model(arguments.model, "--model")
    check_model_path(path, "--model")
    exported = find_saved_model(path)
    model = _open(path, exported)
    height, width = model.config.image_size
    if arguments.max_pixels < height * width:
        raise ConfigError(
            f"--max_pixels must allow the pictures of the training, {height}x{width}. "
            f"Received: {arguments.max_pixels}"
        )
    say(f"model: {model.title}")
    generator = model.load_generator()
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    from oasis_tf.serving.exporting.model_info import ModelInfo

    info = ModelInfo(
        legend=model.legend,
        config=model.config,
        precision=arguments.precision,
        max_pixels=arguments.max_pixels,
        scores=_scores(model.checkpoint) if exported is None else model.scores,
    )
    if arguments.format == "web":
        return _export_web(generator, info, arguments)
    say(_WRITING)
    if arguments.format == "saved_model":
        from oasis_tf.serving.exporting.export_model import export_model

        version = export_model(generator, info, arguments.out, jit_compile=arguments.jit_compile)
        next_command = f"python -m oasis_tf.serve --model_base_path {_quoted(arguments.out)}"
        return {"version": version, "next": next_command}
    if arguments.format == "onnx":
        from oasis_tf.serving.exporting.onnx_file import write_onnx as write
    else:
        from oasis_tf.serving.exporting.litert_file import write_litert as write

    differences = write(generator, info, arguments.out, weights=arguments.weights)
    return {
        "file": f"{arguments.out}, {arguments.out.stat().st_size / 1e6:.1f} MB",
        "card": f"{arguments.out}.md",
        "difference": _difference(differences),
    }


def _export_web(generator, info, arguments):
    from oasis_tf.serving.exporting.onnxruntime_web import PACKAGE, fetch_package
    from oasis_tf.serving.exporting.web_page import write_web_page

    package, out = arguments.onnxruntime_web, arguments.out
    with tempfile.TemporaryDirectory() as directory:
        if package is None:
            say(f"fetching {PACKAGE} with npm, 33 MB")
            package = fetch_package(directory)
        say(_WRITING)
        differences = write_web_page(generator, info, out, package, weights=arguments.weights)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return {
        "page": f"{out}/index.html, {size / 1e6:.1f} MB with all that it needs",
        "difference": _difference(differences),
        "next": f"python -m http.server --bind 127.0.0.1 --directory {_quoted(out)}",
    }


def _quoted(path):
    return shlex.quote(str(path))


def _difference(differences):
    return (
        f"at most {differences.trained:.2g} in [-1, 1] from the trained network, "
        f"{differences.mean:.2g} on average"
    )


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


if __name__ == "__main__":
    sys.exit(main())
