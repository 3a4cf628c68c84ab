"""Reads the label map of a picture that does not exist yet: ids, palette indices or colours."""

import numpy as np

from data_pipeline.datasets.pictures import label_ids, open_label
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import ClassList, read_class_list


def read_label_map(path, legend, palette=None):
    """Reads a label map in any of the forms that data sets use.

    Greyscale PNGs of 8 or 16 bits hold ids, palette PNGs ids as indices, both as in the label
    files of the data set the model has learnt from. RGB pictures hold colours.

    Args:
        path: the file.
        legend: `Legend` of the model.
        palette: from `read_palette`; then palette PNGs are taken for what they look like, too.
            Defaults to the legend's own colours.

    Returns:
        int32 (H, W), ids in [0, N).

    Raises:
        DataError: unreadable file, ids or colours of no class. The message names the file.
    """
    image = open_label(path)
    if image.mode in ("RGB", "RGBA") or (palette is not None and image.mode == "P"):
        colours = palette or _own_palette(legend)
        return colours.read(np.asarray(image.convert("RGB")), path)
    ids = label_ids(image, path)
    try:
        return legend.to_ours(ids)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_palette(path, legend):
    """Reads which colour means which class.

    Args:
        path: Path of a JSON list of {"name": ..., "color": [r, g, b]}, in any order; classes that
            the label maps do not use may be left out.
        legend: `Legend` of the model.

    Raises:
        DataError: malformed file, or names that are no class.
    """
    classes = read_class_list(path)
    if classes.colours is None:
        raise DataError(
            f'{path} must be a JSON list of {{"name": ..., "color": [r, g, b]}}. '
            "Received: names without colours"
        )
    try:
        ids = [legend.class_id(name) for name in classes.names]
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return _Colours(classes, np.array(ids, np.int32))


def _own_palette(legend):
    classes = ClassList(legend.class_names, legend.palette, None)
    return _Colours(classes, np.arange(legend.num_classes, dtype=np.int32))


class _Colours:
    """A list of colours, and our id of each."""

    def __init__(self, classes, ids):
        self._classes = classes
        self._ids = ids

    def read(self, rgb, path):
        return self._ids[self._classes.ids_of_colours(rgb, path)]
