"""One example from its source files to the bytes of a record: the work of the build processes.

Imports no TensorFlow, so that a process starts in a moment.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from data_pipeline.datasets.orientation import upright
from data_pipeline.datasets.pictures import check_same_size, label_palette
from data_pipeline.errors import DataError
from data_pipeline.labels.label_rule import IndexPalette
from data_pipeline.records.photograph import encode_photograph
from data_pipeline.records.png import encode_label_map


@dataclass(frozen=True)
class Prepared:
    """One example, ready to be written.

    Attributes:
        name: of the example.
        image, label_map: encoded for the record, at the stored size.
        pixels: {class id: stored pixels}.
        out_of_range: {id as in the source: source pixels} beyond the class list, 0 in the record.
        label: the source of the label map, for messages.
        palette: its `IndexPalette`, or None.
        turn: what `upright` did to the picture, or None.
    """

    name: str
    image: bytes
    label_map: bytes
    pixels: dict[int, int]
    out_of_range: dict[int, int]
    label: str
    palette: IndexPalette | None = None
    turn: str | None = None


def prepare(item, dataset, size, follow_exif=True):
    """Reads, checks, resizes and encodes one example.

    Args:
        item: Item of `dataset`.
        dataset: Dataset (its items are not used, so they need not travel to other processes).
        size: (height, width) to store.
        follow_exif: turn the picture upright where its label map is.

    Returns:
        Prepared, or the DataError: a build wants to know all bad files, not only the first.
    """
    try:
        image, label_map = dataset.load(item)
        image, turn = upright(image, label_map.shape, follow=follow_exif)
        # Without the tag, so that now only the one size is right.
        image.info.clear()
        check_same_size(image, item.image, label_map.shape, item.label)
        palette = None if dataset.label_palette else label_palette(item.label)
    except DataError as error:
        return error
    label_map, out_of_range = _clear_out_of_range(label_map, dataset)
    image, label_map = resize(image, label_map, size)
    return Prepared(
        item.name,
        encode_photograph(image),
        encode_label_map(label_map),
        _histogram(label_map),
        out_of_range,
        str(item.label),
        palette,
        turn,
    )


def resize(image, label_map, size):
    """Resizes as the paper's authors did: bicubic with antialiasing, and nearest, by Pillow.

    Args:
        image: PIL image, RGB.
        label_map: int (H, W).
        size: (h, w).

    Returns:
        uint8 (h, w, 3), int32 (h, w).
    """
    height, width = size
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    # int32 is Pillow's mode "I", the one that holds 16-bit ids and is resized like 8 bits.
    labels = Image.fromarray(label_map.astype(np.int32))
    labels = labels.resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(image), np.asarray(labels)


def _clear_out_of_range(label_map, dataset):
    bad = label_map >= len(dataset.class_names)  # (H, W)
    if not bad.any():
        return label_map, {}
    found = _histogram(label_map[bad] - dataset.id_shift)
    return np.where(bad, 0, label_map), found


def _histogram(ids):
    values, counts = np.unique(ids, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
