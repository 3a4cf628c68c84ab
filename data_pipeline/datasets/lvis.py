"""LVIS v1 and v0.5: instance annotations in JSON, painted in order, over COCO 2017 pictures."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from data_pipeline.datasets import masks
from data_pipeline.datasets.annotation_index import AnnotationIndex, Outlines, index_path
from data_pipeline.datasets.dataset import Dataset, Item
from data_pipeline.datasets.file_index import noted_parts
from data_pipeline.datasets.pictures import check_same_size, open_rgb
from data_pipeline.datasets.problems import raise_all
from data_pipeline.errors import DataError, listing

_OF_2014 = re.compile(r"COCO_(?:train|val)2014_(\d{12}\.jpg)")
_ARTICLES = {int: "an int", str: "a str"}
_PICTURE_FOLDERS = ("train2017", "val2017")


@dataclass(frozen=True)
class LvisItem(Item):
    """An item whose label map is still polygons and RLE, in the JSON.

    Attributes:
        height, width: of the picture, from the JSON.
        outlines: where the image's annotations stand.
    """

    height: int
    width: int
    outlines: Outlines


def open_lvis(source, splits, *, skip_missing=False, skip_broken=False, notes=None):
    """Reads the JSON of each split and finds the pictures.

    Expects `annotations/lvis_v1_{train,val}.json` (or v0.5's `lvis_v0.5_{split}*.json`; both also
    directly in `source`), and pictures in `train2017/` and `val2017/`. A label is a category id,
    so N is the largest id + 1.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for both.
        skip_missing: leave images out whose picture does not exist.
        skip_broken: leave annotations out that outline nothing.
        notes: Path of a directory to keep the index of the annotations in, for the next process.
            Defaults to none.

    Returns:
        Dataset of `LvisItem`.

    Raises:
        DataError: no or several JSON files, a malformed one, or missing pictures.
    """
    files = {split: find_json(source, split) for split in splits or ("train", "val")}
    indices = {
        split: AnnotationIndex(path, index_path(notes, split)) for split, path in files.items()
    }
    class_names = _class_names(indices, files)
    items, broken = {}, []
    for split, index in indices.items():
        items[split], found = read_items(index, files[split])
        broken += found
    if not skip_broken:
        raise_broken(broken)
    folders = {name: _file_names(source / name) for name in _PICTURE_FOLDERS}
    missing = []
    for split in items:
        items[split], absent = _with_pictures(items[split], source, folders)
        missing += absent
    if missing and not skip_missing:
        raise DataError(
            f"{len(missing)} of {len(missing) + sum(map(len, items.values()))} pictures were "
            f"found neither in {source / 'train2017'} nor in {source / 'val2017'} "
            f"(--skip_missing leaves them out). Received:\n{listing(missing)}"
        )
    for split, kept in items.items():
        if not kept:
            raise DataError(f"{files[split]} must name pictures that exist. Received: none")
    return Dataset(class_names, items, load, missing=tuple(missing), broken=tuple(broken))


def load(item):
    """Reads the picture and paints the annotations of an `LvisItem`."""
    image = open_rgb(item.image)
    check_same_size(image, item.image, (item.height, item.width), item.label)
    return image, paint(item)


def paint(item):
    """Paints the annotations of an `LvisItem` in file order, later ones over earlier ones.

    Needs no picture.

    Returns:
        int32 (height, width), category ids, 0 where there is no annotation.

    Raises:
        DataError: a malformed segmentation, naming the JSON file and the annotation.
    """
    label_map = np.zeros((item.height, item.width), np.int32, order="F")
    for number, annotation in item.outlines.read(item.label):
        try:
            masks.paint(label_map, annotation["segmentation"], number)
        except ValueError as error:
            raise DataError(
                f"{item.label}: annotation {annotation.get('id')} (image {item.name}) must have a "
                f"well-formed segmentation. Received: {error}"
            ) from None
    return np.ascontiguousarray(label_map)


def find_json(source, split):
    """Finds the annotation file of a split; v1's exact name goes before all others."""
    folders = (source / "annotations", source)
    for folder in folders:
        if (folder / f"lvis_v1_{split}.json").is_file():
            return folder / f"lvis_v1_{split}.json"
    found = [path for folder in folders for path in sorted(folder.glob(f"lvis_v*_{split}*.json"))]
    if len(found) != 1:
        received = f"{len(found)} files:\n{listing(found)}" if found else "no such file"
        raise DataError(
            f"{source} must hold annotations/lvis_v1_{split}.json (or one "
            f"lvis_v0.5_{split}*.json). Received: {received}"
        )
    return found[0]


def raise_broken(broken):
    """Raises DataError listing annotations that outline nothing, unless there is none.

    Args:
        broken: list of str, which name the file, the annotation and what is wrong.
    """
    if broken:
        raise DataError(
            "every annotation must outline something: polygons of three points or more, or RLE "
            f"(--skip_broken leaves out those that do not). Received: {len(broken)} that do not:\n"
            f"{listing(broken)}"
        )


def read_items(index, path):
    """Groups the annotations of an LVIS JSON by image.

    Args:
        index: `AnnotationIndex` of the JSON.
        path: its file, for the errors.

    Returns:
        (LvisItems in file order, whose `image` is still the name the JSON gives, such as
        "train2017/000000000009.jpg"; descriptions of the annotations that outline nothing, which
        are in no item).

    Raises:
        DataError: fields that are missing, or annotations that name an unknown image or category;
            all of these are listed.
    """
    names, problems = {}, []  # names: {image id: as the JSON gives it}
    for image in index.images:
        wrong = _wrong_fields(image, {"id": int, "height": int, "width": int}, "image", path)
        if wrong:
            problems.append(wrong)
        elif image["id"] in names:
            problems.append(f"{path}: image ids must be unique: {image['id']} twice")
        elif min(image["height"], image["width"]) < 1:
            problems.append(
                f"{path}: image {image['id']} must have a positive height and width: "
                f"{image['height']} and {image['width']}"
            )
        elif (name := _name_and_picture(image)) is None:
            problems.append(
                f"{path}: image {image['id']} must have a coco_url or a file_name: none"
            )
        else:
            names[image["id"]] = name
    raise_all(problems)
    outlines, wrong, broken = index.of_images({c["id"]: c["id"] for c in index.categories})
    raise_all([*wrong, *broken] if wrong else [])
    items = [
        LvisItem(*names[image["id"]], path, image["height"], image["width"], outlines[image["id"]])
        for image in index.images
    ]
    return items, broken


def _name_and_picture(image):
    """("000000000009", "train2017/000000000009.jpg") from `coco_url`, or from `file_name`; None."""
    url, file_name = image.get("coco_url"), image.get("file_name")
    url = PurePosixPath(url if isinstance(url, str) else "")
    if url.name not in ("", ".."):
        picture = Path(*url.parts[-2 if url.parent.name in _PICTURE_FOLDERS else -1 :])
        return picture.stem, picture
    parts = noted_parts(file_name) if isinstance(file_name, str) else ()
    if not parts:
        return None
    # v0.5 says COCO_val2014_000000266409.jpg where the 2017 release says 000000266409.jpg.
    released = _OF_2014.fullmatch(parts[-1])
    picture = Path(released[1] if released else PurePosixPath(*parts))
    return picture.with_suffix("").as_posix(), picture


def _class_names(indices, files):
    names = {}
    for split, index in indices.items():
        for category in index.categories:
            wrong = _wrong_fields(category, {"id": int, "name": str}, "category", files[split])
            raise_all([wrong] if wrong else [])
            if category["id"] < 1:
                raise DataError(
                    f"{files[split]}: category ids must be 1 or more. Received: {category['id']}"
                )
            known = names.setdefault(category["id"], category["name"])
            if known != category["name"]:
                raise DataError(
                    f"all of {', '.join(map(str, files.values()))} must have the same categories. "
                    f"Received: {known!r} and {category['name']!r} for id {category['id']}"
                )
    if not names:
        raise DataError(f"{next(iter(files.values()))} must list categories. Received: none")
    return ("unlabelled", *(names.get(i, f"class_{i}") for i in range(1, max(names) + 1)))


def _with_pictures(items, source, folders):
    """Replaces the JSON's picture names by existing paths; returns (kept items, missing names)."""
    kept, missing = [], []
    for item in items:
        picture = next((path for path in _places(item.image, source, folders) if path), None)
        if picture is None:
            missing.append(str(item.image))
        else:
            kept.append(replace(item, image=picture))
    return kept, missing


def _places(name, source, folders):
    """Where a picture may lie, as existing paths or None: its own folder goes first."""
    if name.parent.name in ("", *folders):
        for folder in sorted(folders, key=name.parent.name.__ne__):
            if name.name in folders[folder]:
                yield source.joinpath(folder, name.name)
        return
    # Folders of its own, in which other pictures may have the same name.
    for place in (source / name, *(source / folder / name for folder in folders)):
        yield place if place.is_file() else None


def _file_names(folder):
    # One listing of a folder is much faster than asking for each of 100,000 names.
    return set(os.listdir(folder)) if folder.is_dir() else set()


def _wrong_fields(entry, types, kind, path):
    """What is wrong with the first field that is, or None."""
    for key, wanted in types.items():
        if type(entry.get(key)) is not wanted:
            return (
                f"{path}: {kind} {entry.get('id')} must have {_ARTICLES[wanted]} {key!r}: "
                f"{entry.get(key)!r}"
            )
    return None
