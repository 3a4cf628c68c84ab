"""A folder of labelme's JSON files: shapes painted as labelme 7.9.1 paints them."""

import base64
import io
import json
import math
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

import numpy as np
from PIL import Image, ImageDraw

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.dataset import Dataset, Item
from data_pipeline.datasets.orientation import upright_size
from data_pipeline.datasets.pairs import PICTURES, find
from data_pipeline.datasets.pictures import check_same_size, open_rgb
from data_pipeline.datasets.problems import raise_all
from data_pipeline.datasets.splits import split_of_folders
from data_pipeline.errors import DataError
from data_pipeline.files import read_text

_LINE_WIDTH = 10
_POINT_RADIUS = 5
_LARGEST_COORDINATE = 1e5  # far outside any picture
# {shape_type: (fewest points, most points or None)}
_POINTS = {
    "polygon": (3, None),
    "rectangle": (2, 2),
    "oriented_rectangle": (4, 4),
    "circle": (2, 2),
    "line": (2, 2),
    "linestrip": (2, None),
    "point": (1, 1),
    "mask": (2, 2),
}


@dataclass(frozen=True)
class LabelmeItem(Item):
    """An item whose label map is still shapes.

    Attributes:
        image: the picture, or the JSON itself if that holds it.
        size: (height, width) from the JSON, or None to take the picture's.
        shapes: the JSON's shapes in file order, with our id as "id".
    """

    size: tuple[int, int] | None
    shapes: tuple[dict, ...]


def open_labelme(source, splits, *, skip_broken=False):
    """Reads every labelme JSON in a directory and below.

    Files in a directory called `val`, `valid` or `validation` are of the split val, those in `test`
    are left out, and all others are train. Other JSON files, and pictures without a JSON, are no
    part of the data set. The picture is `imagePath`, or a picture of the JSON's own name beside it,
    or what the JSON holds as `imageData`.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        skip_broken: leave out shapes that outline nothing and files that cannot be read.

    Returns:
        Dataset of `LabelmeItem`; 0 is unlabelled (`_background_` and `__ignore__` too), the labels
        follow in the order of `labels.txt` in `source`, or else in alphabetical order.

    Raises:
        DataError: malformed files or shapes, missing pictures (all that is wrong is listed), or no
            file at all.
    """
    files, problems, broken = {}, [], []
    for name, path in find(source, (".json",)).items():
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            broken.append(f"{path} must be a readable JSON file: {error}")
            continue
        if isinstance(content, dict) and "shapes" in content:
            wrong, wrong_shapes = _problems(content, path)
            problems += wrong
            broken += wrong_shapes.values()
            if not wrong:
                kept = [s for i, s in enumerate(content["shapes"]) if i not in wrong_shapes]
                files[name] = (path, {**content, "shapes": kept})
    raise_all(problems if skip_broken else problems + broken)
    found = {shape["label"] for _, content in files.values() for shape in content["shapes"]}
    class_names, our_ids = _classes(source / "labels.txt", found)
    items = {"train": [], "val": [], "test": []}
    for name, (path, content) in files.items():
        split = split_of_folders(path.relative_to(source)) or "train"
        items[split].append(_item(name, path, content, our_ids, problems))
    raise_all(problems)
    wanted = splits or [split for split in ("train", "val") if items[split]]
    empty = [split for split in wanted if not items[split]]
    if empty or not wanted:
        raise DataError(
            f"{source} must hold JSON files of labelme for {' and '.join(empty) or 'train'}. "
            f"Received: none among {len(files)}"
        )
    kept = {split: items[split] for split in wanted}
    return Dataset(class_names, kept, load, broken=tuple(broken))


def load(item):
    """Reads the picture and paints the shapes of a `LabelmeItem`."""
    image = _held_picture(item.label) if item.image == item.label else open_rgb(item.image)
    # labelme shows pictures upright.
    size = item.size or upright_size(image)
    check_same_size(image, item.image, size, item.label)
    return image, paint(replace(item, size=size))


def paint(item):
    """Paints the shapes of a `LabelmeItem` in file order, later ones over earlier ones.

    As in labelme 7.9.1: outlines belong to a shape, lines are 10 pixels wide, and a point is a disc
    of radius 5.

    Args:
        item: with its `size`.

    Returns:
        int32 (height, width), our ids, 0 where there is no shape.

    Raises:
        DataError: a mask that is no picture or smaller than its box. Names the JSON.
    """
    height, width = item.size
    canvas = Image.new("I", (width, height))
    for number, shape in enumerate(item.shapes):
        try:
            _paint_shape(canvas, shape)
        except ValueError as error:
            raise DataError(
                f"{item.label}: shape {number} ({shape['label']}) must have a well-formed mask. "
                f"Received: {error}"
            ) from None
    return np.asarray(canvas).astype(np.int32)


def _paint_shape(canvas, shape):
    draw, kind, ink = ImageDraw.Draw(canvas), _kind(shape), shape["id"]
    points = [tuple(point) for point in shape["points"]]
    if kind == "mask":
        corner, mask = _mask(points, shape["mask"])
        canvas.paste(ink, corner, mask)
    elif kind == "rectangle":
        (left, right), (top, bottom) = map(sorted, zip(*points, strict=True))
        draw.rectangle((left, top, right, bottom), fill=ink, outline=ink)
    elif kind == "circle":
        _disc(draw, points[0], math.dist(*points), ink)
    elif kind == "point":
        _disc(draw, points[0], _POINT_RADIUS, ink)
    elif kind == "line":
        draw.line(points, fill=ink, width=_LINE_WIDTH)
    elif kind == "linestrip":
        draw.line(points, fill=ink, width=_LINE_WIDTH, joint="curve")
    else:
        draw.polygon(points, fill=ink, outline=ink)


def _disc(draw, centre, radius, ink):
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink, outline=ink)


def _mask(points, encoded):
    """(left, top) and the mask as a picture of mode "1".

    Whole corners name the first and the last pixel of the box, and the mask is cropped to it.
    Others, which a drag leaves, are rounded, and the mask keeps its own size.
    """
    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
            mask = np.asarray(image) != 0
    except Exception as error:  # as in pictures.py: Pillow raises almost anything
        raise ValueError(error) from None
    if mask.ndim != 2:
        raise ValueError(f"a picture of {mask.shape[-1]} channels")
    (left, top), (right, bottom) = ((round(x), round(y)) for x, y in points)
    if all(float(value).is_integer() for point in points for value in point):
        height, width = bottom - top + 1, right - left + 1
        if height > mask.shape[0] or width > mask.shape[1] or min(height, width) < 1:
            raise ValueError(f"{mask.shape[0]}x{mask.shape[1]} for a box of {height}x{width}")
        mask = mask[:height, :width]
    return (left, top), Image.fromarray(mask)


def _held_picture(path):
    try:
        content = base64.b64decode(json.loads(path.read_bytes())["imageData"])
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: imageData must be a picture. Received: {error}") from None
    return open_rgb(io.BytesIO(content), f"{path}: imageData")


def _kind(shape):
    return shape.get("shape_type") or "polygon"  # early versions drew nothing else


def _problems(content, path):
    """What is wrong with one file but its picture: (list, {number of a shape: what is wrong})."""
    problems = []
    size = (content.get("imageHeight"), content.get("imageWidth"))
    if size != (None, None) and not all(type(side) is int and side > 0 for side in size):
        problems.append(
            f"{path}: imageHeight and imageWidth must be positive int: {size[0]!r} and {size[1]!r}"
        )
    if not isinstance(content["shapes"], list):
        return [*problems, f"{path}: shapes must be a list: {content['shapes']!r}"], {}
    wrong = {number: _shape_problem(shape) for number, shape in enumerate(content["shapes"])}
    return problems, {
        number: f"{path}: shape {number} must {problem}"
        for number, problem in wrong.items()
        if problem
    }


def _shape_problem(shape):
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
        return f"be an object with a str 'label': {shape!r}"
    name, kind, points = f"({shape['label']})", _kind(shape), shape.get("points")
    if kind not in _POINTS:
        return f"have a shape_type of {', '.join(_POINTS)} {name}: {kind!r}"
    fewest, most = _POINTS[kind]
    if not isinstance(points, list) or not fewest <= len(points) <= (most or len(points)):
        count = len(points) if isinstance(points, list) else repr(points)
        return f"have {fewest} points{'' if most else ' or more'} as a {kind} {name}: {count}"
    if not all(isinstance(point, list) and len(point) == 2 for point in points) or not all(
        # Written so that NaN fails too.
        type(value) in (int, float) and abs(value) < _LARGEST_COORDINATE
        for point in points
        for value in point
    ):
        return f"have points [x, y] of finite numbers near the picture {name}: {points!r}"
    if kind == "mask" and not isinstance(shape.get("mask"), str):
        return f"have a mask as a PNG in base64 {name}: {shape.get('mask')!r}"
    return None


def _classes(path, found):
    """(our names, {label: our id}), by the tool's list if there is one."""
    names = sorted(found)
    if path.is_file():
        lines = read_text(path).splitlines()
        names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
        raise_all(
            f"{path} must list every label of the shapes: {name!r}"
            for name in sorted(found - {*names})
        )
    class_names, ours = class_table(names)
    return class_names, dict(zip(names, ours, strict=True))


def _item(name, path, content, our_ids, problems):
    image = _picture(path, content)
    if image is None:
        problems.append(f"{path}: imagePath must name a picture: {content.get('imagePath')!r}")
    height, width = content.get("imageHeight"), content.get("imageWidth")
    shapes = tuple({**shape, "id": our_ids[shape["label"]]} for shape in content["shapes"])
    return LabelmeItem(name, image, path, height and (height, width), shapes)


def _picture(path, content):
    noted = content.get("imagePath")
    beside = [path.parent / PureWindowsPath(noted).as_posix()] if isinstance(noted, str) else []
    beside += [path.with_suffix(suffix) for suffix in PICTURES]
    inside = [path] if isinstance(content.get("imageData"), str) else []
    return next((Path(place) for place in [*beside, *inside] if place.is_file()), None)
