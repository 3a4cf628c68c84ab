"""Anybody's own pictures and label maps, with a class list."""

from functools import partial

from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import LABELS, PICTURES, find, pair
from data_pipeline.datasets.pictures import check_same_size, label_ids, open_label, open_rgb
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import read_class_list

_PICTURES = (*PICTURES, ".bmp", ".webp")
_CLASS_LISTS = ("class_names.json", "class_names.txt")


def open_folder(source, splits, *, class_names=None, unlabelled=None):
    """Finds the pairs of `images/{train,val}` and `labels/{train,val}`, matched by stem.

    Label maps are PNG files, read as `data_pipeline/labels/label_rule.py` says. Sub-directories are
    allowed.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        class_names: Path of the class list. Defaults to `class_names.json` or `.txt` in `source`.
        unlabelled: id or name of the unlabelled class, see `read_class_list`.

    Returns:
        Dataset. The unlabelled id becomes 0, the other ids keep their order and become 1, 2, ...

    Raises:
        DataError: a folder or the class list is missing, empty or malformed, or files have no
            partner.
    """
    classes = read_class_list(class_names or _find_class_list(source), unlabelled)
    items = {}
    for split in splits or _existing_splits(source):
        image_folder, label_folder = source / "images" / split, source / "labels" / split
        images = find(image_folder, _PICTURES, recursive=True)
        labels = find(label_folder, LABELS, recursive=True)
        items[split] = pair(images, labels, image_folder, label_folder)
    load_item = partial(load, classes=classes)
    return Dataset(
        classes.class_names,
        items,
        load_item,
        classes.palette,
        classes.label_ids,
        classes.id_shift,
        label_palette=classes.rule.colours,
    )


def load(item, classes):
    """Reads one item; `classes` says what ids and colours mean."""
    image = open_rgb(item.image)
    label = open_label(item.label)
    check_same_size(image, item.image, (label.height, label.width), item.label)
    return image, classes.to_ours(label_ids(label, item.label, classes.rule))


def _find_class_list(source):
    for name in _CLASS_LISTS:
        if (source / name).is_file():
            return source / name
    raise DataError(
        f"{source} must hold a class list {' or '.join(_CLASS_LISTS)}, or --class_names must name "
        "one. Received: none"
    )


def _existing_splits(source):
    splits = [name for name in ("train", "val") if (source / "images" / name).is_dir()]
    if not splits:
        raise DataError(f"{source} must hold images/train or images/val. Received: neither")
    return splits
