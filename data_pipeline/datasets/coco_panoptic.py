"""COCO panoptic: PNG files whose colours are segment ids, and a JSON with their categories."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.datasets.coco_json import (
    check_images,
    find_json,
    picture_name,
    read_files,
    with_pictures,
)
from data_pipeline.datasets.dataset import Dataset, Item
from data_pipeline.datasets.json_stream import stream_lists
from data_pipeline.datasets.pictures import check_same_size, open_label, open_rgb
from data_pipeline.errors import DataError
from data_pipeline.labels.legend import check_ids
from data_pipeline.labels.palette import default_palette

# An optimiser may store few colours as a palette, or grey ones as grey: they stay the same colours.
_COLOUR_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


@dataclass(frozen=True)
class PanopticItem(Item):
    """An item whose label map is segment ids.

    Attributes:
        segments: {segment id: our id}.
        json: the file that says so, for errors.
    """

    segments: dict[int, int]
    json: str


class _Content:
    """The three lists of a JSON file."""

    def __init__(self, path):
        self.images, self.annotations, self.categories = [], [], []
        keys = ("images", "annotations", "categories")
        stream_lists(
            path,
            {
                key: (dict, lambda entry, *_, key=key: getattr(self, key).append(entry))
                for key in keys
            },
        )
        if not self.images:
            raise DataError(f"{path} must list images. Received: an empty list")


def open_coco_panoptic(source, splits, *, skip_missing=False):
    """Reads the JSON of each split, and finds the pictures and the PNG files of segments.

    Known places: `annotations/panoptic_{train,val}*.json`, or one JSON file of any name, which is
    then train; the PNG files in a directory beside it named like it, or directly in `source`; the
    pictures in any folder. Images without annotation are left out.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        skip_missing: leave images out whose picture does not exist.

    Returns:
        Dataset of `PanopticItem`; 0 is unlabelled, the categories follow in the order of their ids.

    Raises:
        DataError: no or several JSON files, a malformed one, missing PNG files or pictures. Each
            lists all that is wrong.
    """
    files = find_json(source, "panoptic", splits)
    contents, class_names, our_ids = read_files(files, lambda _, path: _Content(path))
    folders = {split: _segment_folder(source, path) for split, path in files.items()}
    items, problems = {}, []
    for split, content in contents.items():
        path = files[split]
        images, wrong = check_images(content.images, path)
        problems += wrong
        items[split] = []
        for annotation in content.annotations:
            image = images.get(annotation.get("image_id"))
            segments, wrong = _segments(annotation, image, our_ids, path)
            problems += wrong
            if wrong:
                continue
            label = folders[split] / annotation["file_name"]
            if not label.is_file():
                problems.append(f"{path}: the segments of every image must exist: no {label}")
            name = picture_name(image["file_name"])
            items[split].append(PanopticItem(name, image["file_name"], label, segments, str(path)))
    # Those of other splits too: their files are often called like the pictures.
    others = (*source.glob("panoptic*.json"), *source.glob("*/panoptic*.json"))
    without = [*folders.values(), *(_segment_folder(source, path) for path in others)]
    items, missing = with_pictures(items, source, files, problems, skip_missing, without)
    # Palettes of segments are no palettes of classes: those go by the colours we show classes in.
    shown = map(tuple, default_palette(len(class_names)).tolist())
    label_palette = dict(enumerate(shown))
    return Dataset(class_names, items, load, missing=missing, label_palette=label_palette)


def load(item):
    """Reads the picture, and replaces the segments of a `PanopticItem` by their classes.

    Segment 0 is unlabelled.
    """
    image, label = open_rgb(item.image), open_label(item.label)
    check_same_size(image, item.image, (label.height, label.width), item.label)
    if label.mode not in _COLOUR_MODES:
        raise DataError(
            f"{item.label}: segments must be in a PNG of 8 bits a channel. "
            f"Received: a picture of mode {label.mode}"
        )
    segments = np.asarray(label.convert("RGB")).astype(np.int32) @ (1, 256, 65536)  # (H, W)
    known = {0: 0, **item.segments}
    found, place = np.unique(segments, return_inverse=True)
    ours = np.array([known.get(segment, -1) for segment in found.tolist()], np.int32)
    label_map = ours[place].reshape(segments.shape)
    try:
        check_ids(segments, label_map >= 0, f"segments that {item.json} lists for it")
    except DataError as error:
        raise DataError(f"{item.label}: {error}") from None
    return image, label_map


def _segment_folder(source, path):
    elsewhere = source / path.stem
    return elsewhere if elsewhere.is_dir() else path.with_suffix("")


def _segments(annotation, image, our_ids, path):
    """({segment id: our id}, list of problems) of one annotation, which is one image's."""
    which = f"{path}: the annotation of image {annotation.get('image_id')!r}"
    if image is None:
        return {}, [f"{which} must name a known and well-formed image: it does not"]
    if not isinstance(annotation.get("file_name"), str):
        return {}, [f"{which} must have a 'file_name': {annotation.get('file_name')!r}"]
    listed = annotation.get("segments_info")
    if not isinstance(listed, list) or not all(isinstance(segment, dict) for segment in listed):
        return {}, [f"{which} must have a list of objects 'segments_info': {listed!r}"]
    problems = [
        f"{which}: a segment must have an int 'id' and a known 'category_id': "
        f"{segment.get('id')!r} and {segment.get('category_id')!r}"
        for segment in listed
        if type(segment.get("id")) is not int or segment.get("category_id") not in our_ids
    ]
    if problems:
        return {}, problems
    return {segment["id"]: our_ids[segment["category_id"]] for segment in listed}, []
