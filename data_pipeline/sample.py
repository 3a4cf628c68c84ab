"""Draws the project's own sample data set and writes it in the layout of LVIS v1.

    python -m data_pipeline.sample --out DIR [--images 600] [--val_images 60] [--least_val 12]
        [--size 144 192]

LVIS takes a 25 GB download; these pictures take seconds and go the same way: polygons and both
kinds of run lengths in `annotations/lvis_v1_{train,val}.json`, photographs in `train2017/` and
`val2017/`, more than half of the pixels unlabelled, and a long tail of categories. A few label maps
of validation scenes lie in `label_maps/`, for `oasis_tf.synthesize`, `edit` and `interpolate`.

Of 60 validation pictures a rare category is in one or none. `--least_val` draws on until each is in
that many, and keeps only the pictures that help: to measure rare classes by.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from data_pipeline.errors import DataError
from data_pipeline.paths import PathAction
from data_pipeline.sample_set.kinds import KINDS
from data_pipeline.sample_set.label_maps import FOLDER, write_label_maps
from data_pipeline.sample_set.scenes import draw_scene

__all__ = ["Summary", "draw_sample", "run_lengths", "run_lengths_string"]

DRAWING = 1  # raise when the same parameters give other pictures than before
EMPTY_EVERY = 50  # one picture in fifty has no annotation, as happens in LVIS
# Scenes drawn at most for each picture that `least_val` asks of a category: the rarest is in about
# one of a hundred and fifty.
TRIES = 2000
SPLITS = ("train", "val")
CATEGORY_IDS = {name: number for number, name in enumerate(sorted(KINDS), start=1)}


class Summary(NamedTuple):
    """What a sample holds.

    Attributes:
        pictures, objects, categories: over both splits; categories that occur at least once.
        unlabelled: mean share of pixels without a label, in [0, 1].
        drawn: False if the sample was there already.
    """

    pictures: int
    objects: int
    categories: int
    unlabelled: float
    drawn: bool


def run_lengths(mask):
    """Run lengths of a mask as COCO counts them: down the columns, zeros first.

    Args:
        mask: bool (H, W).

    Returns:
        A list of ints with sum H * W: zeros, ones, zeros, ...

    >>> run_lengths(np.array([[0, 1], [1, 1]], bool))
    [1, 3]
    """
    pixels = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(pixels[1:] != pixels[:-1])
    return np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()


def run_lengths_string(counts):
    """Run lengths as COCO's compressed string.

    From the fourth on, a count is written as its difference from the one before the last; each
    number in groups of five bits, lowest first, the sixth bit saying that more follow.

    Args:
        counts: list of ints, as from `run_lengths`.

    Returns:
        An ASCII string.

    >>> run_lengths_string([1, 3])
    '13'
    """
    text = []
    for i, count in enumerate(counts):
        rest = count - counts[i - 2] if i > 2 else count
        more = True
        while more:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text.append(chr(48 + bits + 32 * more))
    return "".join(text)


def _annotation(drawn, number, image_id):
    """One LVIS annotation of a `Drawn`, in the form its kind asks for."""
    form = KINDS[drawn.kind].form
    if form == "polygon":
        points = np.concatenate(drawn.polygons)
        low, high = points.min(0), points.max(0)
        segmentation = [polygon.ravel().tolist() for polygon in drawn.polygons]
        area = drawn.area
    else:
        rows, columns = (np.flatnonzero(drawn.mask.any(axis)) for axis in (1, 0))
        low, high = np.array([columns[0], rows[0]]), np.array([columns[-1] + 1, rows[-1] + 1])
        counts = run_lengths(drawn.mask)
        segmentation = {
            "size": list(drawn.mask.shape),
            "counts": run_lengths_string(counts) if form == "rle" else counts,
        }
        area = float(drawn.mask.sum())
    return {
        "id": number,
        "image_id": image_id,
        "category_id": CATEGORY_IDS[drawn.kind],
        "segmentation": segmentation,
        "area": round(area, 2),
        "bbox": [round(float(v), 2) for v in (*low, *(high - low))],
    }


def _draw_scenes(split, count, least, size, seed):
    """Yields `draw_scene`'s results: `count` of them, and what brings each kind to `least`."""
    pictures_of = dict.fromkeys(KINDS, 0)
    scenes = itertools.count()
    if not least:
        scenes = range(count)
    for index in tqdm(scenes, desc=split, unit="picture", disable=None):
        missing = {kind for kind, pictures in pictures_of.items() if pictures < least}
        if index >= count and not missing:
            return
        if index >= count + TRIES * least:
            raise DataError(
                f"`least_val` {least} must be possible: after {index} scenes these categories are "
                f"in fewer pictures of {size}. Received: {', '.join(sorted(missing))}"
            )
        # A generator for each picture: a picture does not depend on how many there are.
        rng = np.random.default_rng([seed, SPLITS.index(split), index])
        empty = index % EMPTY_EVERY == EMPTY_EVERY // 2
        picture, things, share = draw_scene(rng, size, empty)
        present = {thing.kind for thing in things}
        if index >= count and not present & missing:
            continue
        for kind in present:
            pictures_of[kind] += 1
        yield picture, things, share


def _draw_split(folder, split, count, least, first_id, size, seed):
    """Draws one split's pictures; its images, annotations and mean unlabelled share."""
    images, annotations, unlabelled = [], [], []
    (folder / f"{split}2017").mkdir()
    for picture, things, share in _draw_scenes(split, count, least, size, seed):
        image_id = first_id + len(images)
        name = f"{split}2017/{image_id:012d}.jpg"
        Image.fromarray(picture).save(folder / name, quality=95, subsampling=0)
        present = {CATEGORY_IDS[thing.kind] for thing in things}
        images.append(
            {
                "id": image_id,
                "width": size[1],
                "height": size[0],
                "coco_url": f"http://images.invalid/{name}",
                "flickr_url": "",
                "license": 1,
                "date_captured": "",
                "neg_category_ids": sorted(set(CATEGORY_IDS.values()) - present),
                "not_exhaustive_category_ids": [],
            }
        )
        for thing in things:
            annotations.append(_annotation(thing, len(annotations) + 1, image_id))
        unlabelled.append(share)
    return images, annotations, float(np.mean(unlabelled))


def _categories(annotations):
    """LVIS's category records, counted over the training annotations as LVIS does."""
    records = []
    for name, number in CATEGORY_IDS.items():
        image_ids = [a["image_id"] for a in annotations if a["category_id"] == number]
        image_count = len(set(image_ids))
        records.append(
            {
                "id": number,
                "name": name,
                "synset": KINDS[name].synset,
                "synonyms": [name],
                "def": KINDS[name].meaning,
                "frequency": "r" if image_count <= 10 else "c" if image_count <= 100 else "f",
                "image_count": image_count,
                "instance_count": len(image_ids),
            }
        )
    return records


def _annotation_file(folder, split):
    return Path(folder) / "annotations" / f"lvis_v1_{split}.json"


def _summary(out, parameters, drawn):
    """The summary of a complete sample with these parameters, or None if `out` is anything else."""
    contents = []
    try:
        for split in SPLITS:
            content = json.loads(_annotation_file(out, split).read_text(encoding="utf-8"))
            if content["info"]["parameters"] != parameters:
                return None
            urls = [image["coco_url"] for image in content["images"]]
            if not all(Path(out, *url.split("/")[-2:]).is_file() for url in urls):
                return None
            contents.append(content)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    pictures = [len(content["images"]) for content in contents]
    shares = [content["info"]["unlabelled_share"] for content in contents]
    annotations = [a for content in contents for a in content["annotations"]]
    return Summary(
        pictures=sum(pictures),
        objects=len(annotations),
        categories=len({a["category_id"] for a in annotations}),
        unlabelled=float(np.average(shares, weights=pictures)),
        drawn=drawn,
    )


def _check(images, val_images, least_val, size, seed):
    rules = {
        "images": (images, 1),
        "val_images": (val_images, 1),
        "least_val": (least_val, 0),
        "seed": (seed, 0),
    }
    for name, (value, least) in rules.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DataError(f"`{name}` must be an integer of at least {least}. Received: {value!r}")
    sides = list(size) if isinstance(size, (list, tuple)) else []
    if len(sides) != 2 or not all(isinstance(s, int) and 32 <= s <= 2048 for s in sides):
        raise DataError(
            f"`size` must be a height and a width, integers from 32 to 2048. Received: {size!r}"
        )


def draw_sample(out, images=600, val_images=60, size=(144, 192), seed=0, least_val=0):
    """Draws the sample data set into `out`, or finds it there already.

    The same arguments give the same bytes. Everything is written into a hidden directory beside
    `out` and renamed at the end, so `out` is complete as soon as it exists.

    Args:
        out: directory to create; it may exist if it is empty or holds this very sample.
        images: pictures in the training split, at least 1.
        val_images: pictures in the validation split, at least 1.
        size: (height, width) in pixels, 32 to 2048 each. Defaults to (144, 192).
        seed: at least 0.
        least_val: pictures of the validation split that each category is in at least; those that
            are drawn for it come behind `val_images`. Defaults to 0.

    Returns:
        A `Summary`.

    Raises:
        DataError: an argument breaks its rule, `out` holds something else, or `least_val` is out
            of reach, as where pictures are too small to show a category.
        OSError: the disk is full or not writable.
    """
    _check(images, val_images, least_val, size, seed)
    out = Path(out)
    counts = dict(zip(SPLITS, (images, val_images), strict=True))
    parameters = {**counts, "size": list(size), "seed": seed, "drawing": DRAWING}
    if least_val:  # a sample without is what it was before there was such a thing
        parameters["least_val"] = least_val
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        found = _summary(out, parameters, drawn=False)
        if found is None:
            raise DataError(
                "`out` must be a new directory, or hold a complete sample drawn with the same "
                f"parameters {parameters}. Received: {out}"
            )
        if not (out / FOLDER).is_dir():  # drawn before there were any
            write_label_maps(out)
        return found

    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}.partial")
    shutil.rmtree(folder, ignore_errors=True)  # left behind by a killed process of the same number
    try:
        (folder / "annotations").mkdir(parents=True)
        first_id, categories = 1, None
        for split, count in counts.items():
            least = least_val if split == "val" else 0
            pictures, annotations, share = _draw_split(
                folder, split, count, least, first_id, size, seed
            )
            first_id += count
            categories = categories or _categories(annotations)  # of the training split
            content = {
                "info": {
                    "description": "Storybook scenes in the layout of LVIS v1",
                    "version": "1.0",
                    "split": split,
                    "parameters": parameters,
                    "unlabelled_share": round(share, 4),
                },
                "licenses": [
                    {
                        "id": 1,
                        "name": "Apache License 2.0",
                        "url": "https://www.apache.org/licenses/LICENSE-2.0",
                    }
                ],
                "categories": categories,
                "images": pictures,
                "annotations": annotations,
            }
            text = json.dumps(content, separators=(",", ":"))
            _annotation_file(folder, split).write_text(text + "\n", encoding="utf-8")
        write_label_maps(folder)
        os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _summary(out, parameters, drawn=True)


def main(argv=None):
    """Runs the command line; returns the exit code, 0 or 2."""
    parser = argparse.ArgumentParser(
        prog="python -m data_pipeline.sample",
        description="Draw the sample data set in the layout of LVIS v1.",
    )
    parser.add_argument("--out", required=True, action=PathAction, help="directory to create")
    parser.add_argument("--images", type=int, default=600, help="training pictures (%(default)s)")
    parser.add_argument("--val_images", type=int, default=60, help="validation (%(default)s)")
    parser.add_argument(
        "--least_val",
        type=int,
        default=0,
        metavar="N",
        help="more for validation, until each category is in N of them (%(default)s)",
    )
    parser.add_argument(
        "--size", type=int, nargs=2, default=(144, 192), metavar=("H", "W"), help="(144 192)"
    )
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    args = parser.parse_args(argv)
    try:
        summary = draw_sample(
            args.out, args.images, args.val_images, args.size, args.seed, args.least_val
        )
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"{args.out} {'holds' if summary.drawn else 'already holds'} {summary.pictures} pictures, "
        f"{summary.objects} objects, {summary.categories} categories, "
        f"{summary.unlabelled:.0%} of the pixels unlabelled."
    )
    print(f"Label maps to draw pictures of are in {Path(args.out) / FOLDER}.")
    print(f"Next: python -m data_pipeline.build --dataset sample --source {args.out} --out ...")
    return 0


if __name__ == "__main__":
    sys.exit(main())
