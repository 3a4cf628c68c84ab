"""COCO-Stuff: 182 thing and stuff classes on COCO 2017 pictures. Files hold class - 1."""

import numpy as np

from data_pipeline.datasets.coco_stuff_names import CLASS_NAMES
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import LABELS, PICTURES, find, pair
from data_pipeline.datasets.pictures import load_ids
from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend

_UNLABELLED = 255
LEGEND = Legend.coloured(
    CLASS_NAMES, {_UNLABELLED: 0, **{i - 1: i for i in range(1, len(CLASS_NAMES))}}
)


def open_coco_stuff(source, splits):
    """Finds the pairs of a COCO-Stuff directory.

    Two layouts are known: `{train,val}_{img,label}/`, and the official one: pictures in
    `[images/]{train,val}2017/`, maps in `stuffthingmaps_trainval2017/{train,val}2017/` or
    `stuffthingmaps/{train,val}2017/`.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for both.

    Returns:
        Dataset with N = 183: label 255 is our 0, any other label + 1.

    Raises:
        DataError: a folder is missing or empty, or files have no partner.
    """
    items = {}
    for split in splits or ("train", "val"):
        year = f"{split}2017"
        image_folder = _first(source, (f"{split}_img", f"images/{year}", year))
        label_folder = _first(
            source,
            (f"{split}_label", f"stuffthingmaps_trainval2017/{year}", f"stuffthingmaps/{year}"),
        )
        images, labels = find(image_folder, PICTURES), find(label_folder, LABELS)
        items[split] = pair(images, labels, image_folder, label_folder)
    return Dataset(CLASS_NAMES, items, load, label_ids=LEGEND.label_ids, id_shift=1)


def load(item):
    """Reads one item."""
    image, ids = load_ids(item)
    return image, np.where(ids == _UNLABELLED, 0, ids + 1)


def _first(source, candidates):
    for name in candidates:
        if (source / name).is_dir():
            return source / name
    raise DataError(
        f"{source} must hold one of the directories {', '.join(candidates)}. Received: none"
    )
