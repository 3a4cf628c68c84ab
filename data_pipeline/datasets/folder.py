"""Anybody's own pictures and label maps, with a class list."""

from functools import partial

from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.folder_layout import find_layout
from data_pipeline.datasets.pairs import PICTURES, find_pairs
from data_pipeline.datasets.pictures import check_same_size, label_ids, open_label, open_rgb
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import read_class_list

_PICTURES = (*PICTURES, ".bmp", ".webp", ".tif", ".tiff")
_LABELS = (".png", ".tif", ".tiff")
_CLASS_LISTS = ("class_names.json", "class_names.txt")


def open_folder(
    source,
    splits,
    *,
    class_names=None,
    unlabelled=None,
    image_suffix="",
    label_suffix="",
    skip_unpaired=False,
):
    """Finds pictures and label maps, in the layouts of `folder_layout.py`, matched by stem.

    Label maps are PNG or TIFF files, read as `data_pipeline/labels/label_rule.py` says.
    Sub-directories are allowed.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        class_names: Path of the class list. Defaults to `class_names.json` or `.txt` in `source`.
        unlabelled: id or name of the unlabelled class, see `read_class_list`.
        image_suffix, label_suffix: ends of the files' stems that are no part of the name.
        skip_unpaired: leave files without partner out.

    Returns:
        Dataset. The unlabelled id becomes 0, the other ids keep their order and become 1, 2, ...

    Raises:
        DataError: a folder or the class list is missing, empty or malformed, or files have no
            partner.
    """
    classes = read_class_list(class_names or _find_class_list(source), unlabelled)
    layout = find_layout(source, splits, _LABELS)
    pairs = find_pairs(
        layout.folders,
        pictures=_PICTURES,
        labels=_LABELS,
        picture_ending=image_suffix,
        label_ending=label_suffix,
        skip_unpaired=skip_unpaired,
        suffix_flags=True,
    )
    load_item = partial(load, classes=classes)
    return Dataset(
        classes.class_names,
        pairs.items,
        load_item,
        classes.palette,
        classes.label_ids,
        classes.id_shift,
        label_palette=classes.rule.colours,
        unpaired=pairs.unpaired,
        left_out=layout.left_out,
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
    near = [path.name for path in sorted(source.iterdir()) if path.suffix in (".txt", ".json")]
    raise DataError(
        f"{source} must hold a class list {' or '.join(_CLASS_LISTS)}, or --class_names must name "
        f"one. Received: {', '.join(near[:5]) or 'none'}"
    )
