"""Builds the TFRecords of a data set: `python -m data_pipeline.build --help`."""

import argparse
import os
import shlex
import sys

from data_pipeline.building.builder import build
from data_pipeline.building.plan import Request
from data_pipeline.datasets import DATASETS
from data_pipeline.errors import BuildFailed, DataError
from data_pipeline.paths import PathAction


def main(arguments=None):
    """Runs the command line.

    Args:
        arguments: list of str. Defaults to those of the process.

    Returns:
        exit code: 0, 1 (disk full, worker died), 2 (bad input), 130 (Ctrl-C).
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    flags = _parser().parse_args(arguments)
    # TensorFlow only reads the examples of the preview; what it says at start is noise.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if flags.download:
            from data_pipeline.downloading.download import download

            download(flags.dataset, flags.source)
        request = Request(
            flags.dataset,
            flags.source,
            tuple(dict.fromkeys(flags.split)) if flags.split else None,
            tuple(flags.image_size) if flags.image_size else None,
            not flags.no_crop,
            flags.out_of_range,
            {name: getattr(flags, name) for name in _option_names()},
            flags.exif,
            flags.skip_broken,
            flags.val_share,
        )
        command = shlex.join(["python", "-m", "data_pipeline.build", *arguments])
        _, summary = build(request, flags.out, workers=flags.workers, command=command)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BuildFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from here", file=sys.stderr)
        return 130
    print("\n".join(summary))
    return 0


def _option_names():
    return dict.fromkeys(name for entry in DATASETS.values() for name in entry.options)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m data_pipeline.build",
        description="Turns a data set on disk into TFRecord shards for training. "
        "An interrupted build is finished by the same command.",
    )
    add = parser.add_argument
    add("--dataset", required=True, choices=DATASETS, help="layout of --source")
    add(
        "--source",
        required=True,
        action=PathAction,
        metavar="DIR",
        help="the data set as published",
    )
    add(
        "--out",
        required=True,
        action=PathAction,
        metavar="DIR",
        help="new directory for the shards",
    )
    add("--split", nargs="+", choices=("train", "val"), help="default: both")
    add(
        "--image_size",
        nargs=2,
        type=int,
        metavar=("H", "W"),
        help="size that training sees, multiples of 64; default: 256 256 (cityscapes: 256 512)",
    )
    add(
        "--no_crop",
        action="store_true",
        help="store training images at exactly that size, without the margin of 286/256 from "
        "which training crops at random (cityscapes never has it)",
    )
    add("--workers", type=int, metavar="N", help="processes; default: one a core")
    add(
        "--skip_missing",
        action="store_true",
        help="lvis, coco, coco_panoptic: leave out images whose picture is missing instead of "
        "stopping",
    )
    add(
        "--skip_unpaired",
        action="store_true",
        help="leave out pictures without label map and label maps without picture, where both are "
        "files",
    )
    add(
        "--skip_broken",
        action="store_true",
        help="leave out files that cannot be read and annotations that outline nothing, and count "
        "them",
    )
    add(
        "--val_share",
        type=float,
        metavar="X",
        help="set this share of the training pictures aside as val, always the same ones, where "
        "there is no val split; 0.1 is usual",
    )
    add(
        "--exif",
        choices=("follow", "ignore"),
        default="follow",
        help="follow turns pictures upright where their label maps are upright; ignore is for "
        "labels made on the pixels as stored; default: follow",
    )
    add(
        "--out_of_range",
        choices=("error", "unlabelled"),
        default="error",
        help="what happens to label ids beyond the class list; default: error",
    )
    add(
        "--class_names",
        action=PathAction,
        metavar="FILE",
        help='folder: names, one a line, or JSON: ["sky", ...] or [{"name": "sky", "color": '
        "[70, 130, 180]}, ...], and other forms (docs/datasets.md); default: class_names.json or "
        ".txt in --source",
    )
    add(
        "--image_suffix",
        metavar="TEXT",
        help="folder: end of the pictures' names that their label maps do not have, such as "
        "_leftImg8bit",
    )
    add(
        "--label_suffix",
        metavar="TEXT",
        help="folder: end of the label maps' names that the pictures do not have, such as _mask",
    )
    add(
        "--unlabelled",
        metavar="ID_OR_NAME",
        help='folder: the class of unlabelled pixels; default: the one named "unlabelled", '
        '"void" or "ignore", in any case',
    )
    add(
        "--download",
        action="store_true",
        help="first fetch the data set into --source (lvis, ade20k, coco_stuff), resumable",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
