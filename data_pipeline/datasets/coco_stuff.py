"""COCO-Stuff: 182 thing and stuff classes on COCO 2017 pictures. Files hold class - 1."""

import numpy as np

from data_pipeline.datasets.coco_stuff_names import CLASS_NAMES
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import TRAIN_IDS, find_pairs
from data_pipeline.datasets.pictures import load_ids
from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend

_UNLABELLED = 255
LEGEND = Legend.coloured(
    CLASS_NAMES, {_UNLABELLED: 0, **{i - 1: i for i in range(1, len(CLASS_NAMES))}}
)


# As in the pixel maps of cocostuff-10k and of the COCO API.
_DEFAULT = (
    "182 is an id of COCO-Stuff's default encoding only (0 unlabelled, classes 1 to 182), in "
    "which every class is one higher than in stuffthingmaps_trainval2017 (classes 0 to 181, 255 "
    "unlabelled). Wanted are the latter, which --download fetches; or --dataset folder with a "
    "class list reads these"
)


def open_coco_stuff(source, splits, *, skip_unpaired=False):
    """Finds the pairs of a COCO-Stuff directory.

    Two layouts are known: `{train,val}_{img,label}/`, and the official one: pictures in
    `[images/]{train,val}2017/`, maps in `stuffthingmaps_trainval2017/{train,val}2017/` or
    `stuffthingmaps/{train,val}2017/`. Maps of train ids beside the published ones are left out.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for both.
        skip_unpaired: leave files without partner out.

    Returns:
        Dataset with N = 183: label 255 is our 0, any other label + 1.

    Raises:
        DataError: a folder is missing or empty, or files have no partner.
    """
    folders = {}
    for split in splits or ("train", "val"):
        year = f"{split}2017"
        image_folder = _first(source, (f"{split}_img", f"images/{year}", year))
        label_folder = _first(
            source,
            (f"{split}_label", f"stuffthingmaps_trainval2017/{year}", f"stuffthingmaps/{year}"),
        )
        folders[split] = (image_folder, label_folder)
    pairs = find_pairs(folders, without_ending=TRAIN_IDS, skip_unpaired=skip_unpaired)
    return Dataset(
        CLASS_NAMES,
        pairs.items,
        load,
        label_ids=LEGEND.label_ids,
        id_shift=1,
        unpaired=pairs.unpaired,
        foreign_ids={182: _DEFAULT},
        doubt="no pixel is 255; if 0 is unlabelled in these files (the default encoding), every "
        "class is one too high",
    )


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
