"""What the commands that use a trained model have in common."""

import sys

from data_pipeline.errors import OasisError
from data_pipeline.paths import PathAction
from oasis_tf.console import say
from oasis_tf.model_path import ModelPathAction
from oasis_tf.outputs import check_directory, make_directory
from oasis_tf.tf_setup import quiet_log


def add_model_argument(parser):
    """Adds --model, of anything that `oasis_tf.load` takes."""
    parser.add_argument(
        "--model",
        required=True,
        action=ModelPathAction,
        metavar="PATH",
        help="a training run, a converted checkpoint or an exported SavedModel, or one on the "
        "Hugging Face Hub, hf://USER/NAME or hf://USER/NAME@REVISION",
    )


def add_model_arguments(parser, labels):
    """Adds the arguments that say what to draw with, from what, and where to.

    Args:
        parser: `argparse.ArgumentParser`.
        labels: help of --labels.
    """
    add_model_argument(parser)
    add = parser.add_argument
    add("--labels", required=True, action=PathAction, metavar="PATH", help=labels)
    add("--out", required=True, action=PathAction, metavar="DIR", help="directory for the pictures")
    add(
        "--size",
        type=int,
        nargs=2,
        metavar=("H", "W"),
        help="of the pictures; default: that of the label map. A model draws best near the size it "
        "was trained at",
    )
    add(
        "--palette",
        action=PathAction,
        metavar="FILE",
        help='which colours mean which classes: JSON, [{"name": "sky", "color": [70, 130, 180]}, '
        "...]; default: the model's own",
    )
    add(
        "--jit_compile",
        action="store_true",
        help="XLA compiles the generator of a run or a converted checkpoint, anew for each size, "
        "in seconds to minutes; for many pictures on a GPU",
    )
    spread = parser.add_mutually_exclusive_group()
    spread.add_argument(
        "--per_class", action="store_true", help="a noise vector for each class of the picture"
    )
    spread.add_argument(
        "--per_segment", action="store_true", help="a noise vector for each connected segment"
    )


def add_region_arguments(parser, flag, *, required):
    """Adds a region: class names or a mask."""
    region = parser.add_mutually_exclusive_group(required=required)
    region.add_argument(
        flag,
        dest="classes",
        metavar="CLASSES",
        help='names with commas between, which may have commas themselves; "car#2" is the second '
        "connected segment of class car, counted in reading order",
    )
    region.add_argument(
        "--mask",
        action=PathAction,
        metavar="FILE",
        help="a picture of the label map's size, black or fully transparent outside of the region; "
        "not a JPEG",
    )


def sampling_options(arguments):
    """The keyword arguments for `Synthesizer` that `add_model_arguments` has parsed."""
    return {
        "per_class": arguments.per_class,
        "per_segment": arguments.per_segment,
        "size": arguments.size,
    }


def open_model(arguments):
    """Makes --out and loads --model: (`Synthesizer`, the palette of --palette or None)."""
    check_directory(arguments.out)
    quiet_log()
    from data_pipeline.labels.label_files import read_palette
    from oasis_tf.sampling.loading import load

    synthesizer = load(arguments.model, jit_compile=arguments.jit_compile)
    say(f"checkpoint: {synthesizer.source.title}")
    palette = arguments.palette and read_palette(arguments.palette, synthesizer.legend)
    make_directory(arguments.out)
    return synthesizer, palette


def run(command, arguments):
    """Calls `command(arguments)` and turns what can go wrong into a message and an exit code."""
    try:
        return command(arguments)
    except OasisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
