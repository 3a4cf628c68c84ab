"""Cityscapes, fine annotations: the 34 labelIds as they are, and one spare class as released."""

from functools import partial

import numpy as np

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.label_colors import read_label_colors
from data_pipeline.datasets.pairs import find_pairs
from data_pipeline.datasets.pictures import load_ids
from data_pipeline.labels.legend import Legend

# labelId = row; the last row is the spare class that makes the released networks 35 wide.
_CLASSES = (
    ("unlabelled", (0, 0, 0)),
    ("ego vehicle", (0, 0, 0)),
    ("rectification border", (0, 0, 0)),
    ("out of roi", (0, 0, 0)),
    ("static", (0, 0, 0)),
    ("dynamic", (111, 74, 0)),
    ("ground", (81, 0, 81)),
    ("road", (128, 64, 128)),
    ("sidewalk", (244, 35, 232)),
    ("parking", (250, 170, 160)),
    ("rail track", (230, 150, 140)),
    ("building", (70, 70, 70)),
    ("wall", (102, 102, 156)),
    ("fence", (190, 153, 153)),
    ("guard rail", (180, 165, 180)),
    ("bridge", (150, 100, 100)),
    ("tunnel", (150, 120, 90)),
    ("pole", (153, 153, 153)),
    ("polegroup", (153, 153, 153)),
    ("traffic light", (250, 170, 30)),
    ("traffic sign", (220, 220, 0)),
    ("vegetation", (107, 142, 35)),
    ("terrain", (152, 251, 152)),
    ("sky", (70, 130, 180)),
    ("person", (220, 20, 60)),
    ("rider", (255, 0, 0)),
    ("car", (0, 0, 142)),
    ("truck", (0, 0, 70)),
    ("bus", (0, 60, 100)),
    ("caravan", (0, 0, 90)),
    ("trailer", (0, 0, 110)),
    ("train", (0, 80, 100)),
    ("motorcycle", (0, 0, 230)),
    ("bicycle", (119, 11, 32)),
    ("spare", (0, 0, 0)),
)
_LABELS_FILE = "label_colors.txt"
_LICENCE_PLATE = 255  # labelId -1 in a picture of unsigned bytes
LEGEND = Legend(
    *zip(*_CLASSES, strict=True), {_LICENCE_PLATE: 0, **{i: i for i in range(len(_CLASSES))}}
)


def open_cityscapes(source, splits, *, skip_unpaired=False):
    """Finds the pairs of `leftImg8bit/` and `gtFine/`.

    An export of another tool in this layout has other classes: those of its `label_colors.txt`,
    whose positions are the ids.

    Args:
        source: Path of the directory that holds both.
        splits: of ("train", "val"), or None for both.
        skip_unpaired: leave files without partner out.

    Returns:
        Dataset with N = 35, or of the labels listed; names are "CITY/CITY_000000_000019".

    Raises:
        DataError: a folder is missing or empty, files have no partner, or a malformed list.
    """
    folders = {
        split: (source / "leftImg8bit" / split, source / "gtFine" / split)
        for split in splits or ("train", "val")
    }
    pairs = find_pairs(
        folders,
        picture_ending="_leftImg8bit",
        label_ending="_gtFine_labelIds",
        skip_unpaired=skip_unpaired,
    )
    if (source / _LABELS_FILE).is_file():
        return _with_own_labels(pairs, *read_label_colors(source / _LABELS_FILE))
    return Dataset(
        LEGEND.class_names,
        pairs.items,
        load,
        LEGEND.palette,
        LEGEND.label_ids,
        unpaired=pairs.unpaired,
    )


def load(item):
    """Reads one item; licence plates become unlabelled."""
    image, ids = load_ids(item)
    return image, np.where(ids == _LICENCE_PLATE, 0, ids)


def _with_own_labels(pairs, names, colours):
    """The Dataset of an export whose labelIds are positions in `names`."""
    class_names, ours = class_table(names)
    palette = None
    if colours:
        palette = tuple(colours[ours.index(i)] for i in range(len(class_names)))
    shift = len(class_names) - len(names)
    load_item = partial(_load_positions, ours=tuple(ours), shift=shift)
    return Dataset(
        class_names,
        pairs.items,
        load_item,
        palette,
        dict(enumerate(ours)),
        shift,
        unpaired=pairs.unpaired,
    )


def _load_positions(item, ours, shift):
    image, ids = load_ids(item)
    known = ids < len(ours)
    return image, np.where(known, np.array(ours)[np.where(known, ids, 0)], ids + shift)
