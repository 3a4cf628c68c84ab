"""Goes from one seed's picture to another's: `python -m oasis_tf.interpolate --seeds 0 1`."""

import argparse
import sys

from data_pipeline.errors import DataError
from data_pipeline.files import publish
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

_MILLISECONDS = 100  # a frame


def parse_arguments(argv=None):
    """Parses the command line; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.interpolate",
        description="Draws what lies between the pictures of two seeds: a row of frames, and an "
        "animation that goes there and back.",
    )
    add_model_arguments(parser, "the label map")
    add_region_arguments(parser, "--classes", required=False)
    parser.add_argument(
        "--seeds", type=int, nargs=2, default=(0, 1), metavar=("FROM", "TO"), help="default: 0 1"
    )
    parser.add_argument("--frames", type=int, default=8, metavar="K", help="default: 8")
    parser.add_argument(
        "--linear",
        action="store_true",
        help="on the straight line between the noise vectors instead of on the arc",
    )
    parser.add_argument("--format", choices=("gif", "webp"), default="gif", help="default: gif")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_interpolate, parse_arguments(argv))


def _interpolate(arguments):
    seed, to_seed = (sample_seeds(seed, 1, "--seeds")[0] for seed in arguments.seeds)
    if arguments.frames < 2:
        raise DataError(f"--frames must be 2 or more. Received: {arguments.frames}")
    mask = arguments.mask and read_mask(arguments.mask)
    synthesizer, palette = open_model(arguments)
    # Late, for these import TensorFlow.
    from data_pipeline.labels.label_files import read_label_map
    from oasis_tf.images import contact_sheet, save_png, thumbnail

    name = f"{arguments.labels.stem}_seed{seed}_to_seed{to_seed}"
    row, animation = (arguments.out / f"{name}.{end}" for end in ("png", arguments.format))
    check_files(row, animation)
    if mask is not None:
        print(f"{'mask':<10} {how_much(mask)}")
    frames = synthesizer.interpolate(
        read_label_map(arguments.labels, synthesizer.legend, palette),
        seed=seed,
        to_seed=to_seed,
        frames=arguments.frames,
        linear=arguments.linear,
        classes=arguments.classes and synthesizer.legend.split_names(arguments.classes),
        mask=mask,
        **sampling_options(arguments),
    )
    last = len(frames) - 1
    cells = [(f"{i / last:.2f}", thumbnail(frame)) for i, frame in enumerate(frames)]
    save_png(row, contact_sheet([cells]))
    _save_animation(animation, frames, arguments.format)
    print(f"{'frames':<10} {row}")
    print(f"{'animation':<10} {animation}")
    return 0


def _save_animation(path, frames, form):
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    images += images[-2:0:-1]
    temporary = f"{path}.tmp"
    images[0].save(
        temporary,
        format=form.upper(),
        save_all=True,
        append_images=images[1:],
        duration=_MILLISECONDS,
        loop=0,
        lossless=True,  # WebP's; GIF has 256 colours a frame whatever one asks for
    )
    publish(temporary, path)


if __name__ == "__main__":
    sys.exit(main())
