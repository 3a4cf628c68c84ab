"""Mapillary Vistas: classes and colours from its config, label maps as palette PNG files."""

import json
from functools import partial

from data_pipeline.datasets.colour_table import ColourTable
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import find_pairs
from data_pipeline.datasets.pictures import check_same_size, open_rgb
from data_pipeline.datasets.problems import raise_all
from data_pipeline.errors import DataError

_FOLDERS = {"train": "training", "val": "validation"}
# (config, folder of label maps) of the releases, the newest first.
_RELEASES = (
    ("config_v2.0.json", "v2.0/labels"),
    ("config_v1.2.json", "v1.2/labels"),
    ("config.json", "labels"),
)


def open_mapillary(source, splits, *, skip_unpaired=False):
    """Finds the pairs of `{training,validation}/images` and `.../labels`, matched by stem.

    Label maps and config are those of v2.0 if both are there, or else of v1.2
    (`v1.2/labels` with `config_v1.2.json`, or `labels` with `config.json`).

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        skip_unpaired: leave files without partner out.

    Returns:
        Dataset. "Unlabeled" is 0, the others follow in the order of the config, under their
        readable names; v1.2 has N = 66, v2.0 has N = 124.

    Raises:
        DataError: no or a malformed config, a missing or empty folder, or files without partner.
    """
    wanted = splits or [name for name in _FOLDERS if (source / _FOLDERS[name]).is_dir()]
    config, labels = _release(source, wanted)
    table = _read_config(source / config)
    folders = {
        split: (source / _FOLDERS[split] / "images", source / _FOLDERS[split] / labels)
        for split in wanted
    }
    pairs = find_pairs(folders, skip_unpaired=skip_unpaired)
    load_item = partial(load, table=table)
    return Dataset(
        table.class_names,
        pairs.items,
        load_item,
        table.palette,
        table.label_ids,
        label_palette=table.label_palette,
        unpaired=pairs.unpaired,
    )


def load(item, table):
    """Reads one item; `table` says what colours mean."""
    image, label_map = open_rgb(item.image), table.read(item.label)
    check_same_size(image, item.image, label_map.shape, item.label)
    return image, label_map


def _release(source, splits):
    for config, labels in _RELEASES:
        folders = [source / _FOLDERS[split] / labels for split in splits]
        if folders and (source / config).is_file() and all(path.is_dir() for path in folders):
            return config, labels
    places = ", ".join(f"{config} with training/{labels}" for config, labels in _RELEASES)
    raise DataError(f"{source} must hold one of {places}. Received: none of these")


def _read_config(path):
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} must be a readable JSON file. Received: {error}") from None
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, list) or not 0 < len(labels) < 256:
        raise DataError(f"{path} must hold a list 'labels' of 1 to 255. Received: {labels!r}")
    raise_all(
        f"{path}: a label must have a 'name' and a 'color' [r, g, b]: {label!r}"
        for label in labels
        if not _is_label(label)
    )
    readable = [label.get("readable") for label in labels]
    distinct = all(isinstance(name, str) for name in readable) and len({*readable}) == len(labels)
    names = readable if distinct else [label["name"] for label in labels]
    return ColourTable(tuple(names), tuple(tuple(label["color"]) for label in labels))


def _is_label(label):
    if not isinstance(label, dict) or not isinstance(label.get("name"), str):
        return False
    colour = label.get("color")
    return (
        isinstance(colour, list)
        and len(colour) == 3
        and all(type(channel) is int and 0 <= channel < 256 for channel in colour)
    )
