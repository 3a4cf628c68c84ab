"""Redraws a part of a picture: `python -m oasis_tf.edit --resample "sky,tree"`, or `--mask`."""

import argparse
import sys

from data_pipeline.labels.mask_rule import how_much, read_mask
from oasis_tf.cli import (
    add_model_arguments,
    add_region_arguments,
    open_model,
    run,
    sampling_options,
)
from oasis_tf.outputs import check_files
from oasis_tf.sampling.seeds import sample_seeds


def parse_arguments(argv=None):
    """Parses the command line; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.edit",
        description="Redraws a region of the picture of a seed, with other noise or as another "
        "class. Farther from the region than the network sees (222 pixels) nothing changes.",
    )
    add_model_arguments(parser, "the label map")
    add_region_arguments(parser, "--resample", required=True)
    parser.add_argument("--to_class", metavar="NAME", help="the class that the region gets")
    parser.add_argument("--seed", type=int, default=0, help="of the original; default: 0")
    parser.add_argument(
        "--edit_seed",
        type=int,
        help="of the region's noise in the first edit, the next has the next; default: seed + 1 "
        "or, with --to_class, seed",
    )
    parser.add_argument("--samples", type=int, default=1, metavar="K", help="edits; default: 1")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_edit, parse_arguments(argv))


def _edit(arguments):
    sample_seeds(arguments.seed, 1, "--seed")
    if arguments.edit_seed is None:
        arguments.edit_seed = arguments.seed + (arguments.to_class is None)
    edit_seeds = sample_seeds(arguments.edit_seed, arguments.samples, "--edit_seed")
    mask = arguments.mask and read_mask(arguments.mask)
    synthesizer, palette = open_model(arguments)
    # Late, for these import TensorFlow.
    import numpy as np

    from data_pipeline.labels.label_files import read_label_map
    from oasis_tf.images import contact_sheet, save_png, thumbnail

    name = f"{arguments.labels.stem}_seed{arguments.seed}"
    original, strip_path = (arguments.out / f"{name}{end}.png" for end in ("", "_strip"))
    paths = [
        arguments.out / f"{name}_edit{k:03d}_seed{seed}.png" for k, seed in enumerate(edit_seeds)
    ]
    check_files(original, *paths, strip_path)
    if mask is not None:
        print(f"{'mask':<9} {how_much(mask)}")
    edit = synthesizer.edit(
        read_label_map(arguments.labels, synthesizer.legend, palette),
        seed=arguments.seed,
        classes=arguments.classes and synthesizer.legend.split_names(arguments.classes),
        mask=mask,
        to_class=arguments.to_class,
        edit_seed=arguments.edit_seed,
        samples=arguments.samples,
        **sampling_options(arguments),
    )
    save_png(original, edit.original)
    shown = np.repeat(edit.mask[..., None], 3, axis=-1).astype(np.uint8) * 255
    strip = [("original", edit.original), ("mask", shown)]
    for path, seed, image in zip(paths, edit_seeds, edit.images, strict=True):
        save_png(path, image)
        strip.append((f"edit seed {seed}", image))
    save_png(strip_path, contact_sheet([[(text, thumbnail(p, 512)) for text, p in strip]]))
    print(f"{'pictures':<9} {1 + len(edit_seeds)} in {arguments.out}")
    print(f"{'strip':<9} {strip_path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
