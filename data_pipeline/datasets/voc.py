"""Pascal VOC's layout, as CVAT and datumaro export it: masks in the colours of `labelmap.txt`."""

import re
from functools import partial

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.colour_table import ColourTable
from data_pipeline.datasets.dataset import Dataset, Item
from data_pipeline.datasets.pairs import LABELS, PICTURES, find, unfit_label_maps
from data_pipeline.datasets.pictures import check_same_size, open_rgb
from data_pipeline.datasets.problems import raise_all
from data_pipeline.datasets.splits import split_of_file
from data_pipeline.errors import DataError
from data_pipeline.files import read_text

# Of VOC 2007 to 2012, whose devkit has no labelmap.txt. Position = index in the masks.
_VOC_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)


def voc_colour(index):
    """Colour of an index in VOC's colour map: bit 3k + c of the index is bit 7 - k of channel c.

    >>> voc_colour(1), voc_colour(7), voc_colour(255)
    ((128, 0, 0), (128, 128, 128), (224, 224, 192))
    """
    return tuple(
        sum((index >> 3 * place + channel & 1) << 7 - place for place in range(3))
        for channel in range(3)
    )


BORDER = voc_colour(255)


def open_voc(source, splits, *, skip_unpaired=False):
    """Finds the masks in `SegmentationClass/` and their pictures in `JPEGImages/`.

    `ImageSets/Segmentation/{train,val}.txt` say which belong to a split; a list of another name
    (CVAT's `default.txt`) is train, and so is everything where there are no lists.

    Args:
        source: Path of the directory that holds them.
        splits: of ("train", "val"), or None for those that exist.
        skip_unpaired: leave out what is listed and has no mask or no picture.

    Returns:
        Dataset. `background` and the border (index 255) are 0, the others follow in the order of
        `labelmap.txt`; without that, VOC's own 20 classes if the directory is called VOC2012 or so.

    Raises:
        DataError: no or a malformed `labelmap.txt`, or files that are missing (all of them named).
    """
    table = _read_label_map(source)
    label_folder, image_folder = source / "SegmentationClass", source / "JPEGImages"
    labels = find(label_folder, LABELS)
    images = find(image_folder, PICTURES)
    names = _names_of_splits(source, labels)
    wanted = splits or tuple(split for split in ("train", "val") if names.get(split))
    items, problems, unpaired = {}, [], []
    for split in wanted:
        if not names.get(split):
            problems.append(f"{source}: {split} must have masks: none are listed")
            continue
        items[split] = []
        for name, listed_in in names[split].items():
            if name not in labels:
                unpaired.append(
                    f"{listed_in}: {name} must have a mask: no {label_folder / name}.png"
                )
            if name not in images:
                unpaired.append(
                    f"{listed_in}: {name} must have a picture: no {image_folder / name}.*"
                )
            if name in labels and name in images:
                items[split].append(Item(name, images[name], labels[name]))
    if not wanted:
        problems.append(f"{source}: train or val must have masks: none in {label_folder}")
    empty = [split for split, kept in items.items() if not kept]
    if unpaired and (empty or not skip_unpaired):
        problems += unpaired
        problems += unfit_label_maps({"all": (image_folder, label_folder)}, LABELS)
    raise_all(problems)
    load_item = partial(load, table=table)
    return Dataset(
        table.class_names,
        items,
        load_item,
        table.palette,
        table.label_ids,
        label_palette=table.label_palette,
        unpaired=tuple(unpaired),
    )


def load(item, table):
    """Reads one item; `table` says what colours mean."""
    image, label_map = open_rgb(item.image), table.read(item.label)
    check_same_size(image, item.image, label_map.shape, item.label)
    return image, label_map


def _names_of_splits(source, labels):
    """{split: {name: file that lists it}}."""
    folder = source / "ImageSets" / "Segmentation"
    lists = sorted(folder.glob("*.txt"))
    if not lists:
        return {"train": dict.fromkeys(labels, source / "SegmentationClass")}
    names = {}
    for path in lists:
        if path.stem.lower() == "trainval" or path.name.startswith("."):
            continue
        split = split_of_file(path.relative_to(folder)) or "train"
        for line in read_text(path).splitlines():
            if line.strip():
                names.setdefault(split, {}).setdefault(line.strip(), path)
    return names


def _read_label_map(source):
    path = source / "labelmap.txt"
    if not path.is_file():
        if not re.fullmatch(r"VOC20\d\d", source.name):
            raise DataError(
                f"{source} must hold labelmap.txt (or be called VOC2012 or so, if its classes are "
                "VOC's own 20). Received: no such file"
            )
        colours = tuple(map(voc_colour, range(len(_VOC_CLASSES))))
        return ColourTable(_VOC_CLASSES, colours, (BORDER,), grey_ids=True)
    names, colours, problems = [], [], []
    for line in _lines(path):
        name, _, rest = line.partition(":")
        colour = _colour(rest.partition(":")[0])
        if not name.strip() or colour == "malformed":
            problems.append(f"{path}: a line must be NAME:R,G,B:PARTS:ACTIONS: {line!r}")
        names.append(name.strip())
        colours.append(colour)
    raise_all(problems or _contradictions(names, colours, path))
    if colours[0] is None:
        colours = list(map(voc_colour, range(len(names))))
    # Black is what no label has been painted over, and 255 is VOC's border.
    unlabelled = tuple(colour for colour in ((0, 0, 0), BORDER) if colour not in colours)
    return ColourTable(tuple(names), tuple(colours), unlabelled, grey_ids=True)


def _lines(path):
    try:
        lines = read_text(path).splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} must be a readable text file. Received: {error}") from None
    lines = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not 0 < len(lines) < 256:
        raise DataError(f"{path} must list 1 to 255 labels. Received: {len(lines)}")
    return lines


def _colour(text):
    """(r, g, b), None if there is none, or "malformed"."""
    if not text.strip():
        return None
    channels = [part.strip() for part in text.split(",")]
    good = len(channels) == 3 and all(c.isdecimal() and int(c) < 256 for c in channels)
    return tuple(map(int, channels)) if good else "malformed"


def _contradictions(names, colours, path):
    """What makes well-formed lines useless."""
    listed = [colour for colour in colours if colour is not None]
    without = [name for name, colour in zip(names, colours, strict=True) if colour is None]
    problems = []
    if listed and without:
        problems.append(f"{path}: all labels must have a colour, or none: {', '.join(without)} not")
    elif without and class_table(names)[1][0] != 0:
        problems.append(
            f"{path}: where labels have no colours, the first must be background, which VOC's "
            f"colour map begins with: {names[0]!r}"
        )
    for values in (names, listed):
        for value in dict.fromkeys(values):
            if values.count(value) > 1:
                problems.append(f"{path}: names and colours must be distinct: {value} twice")
    return problems
