"""The region of a picture that an edit is about, from class names or a mask."""

import numpy as np

from data_pipeline.errors import DataError
from oasis_tf.sampling.arguments import is_whole, to_mask
from oasis_tf.sampling.segments import find_segments


def find_region(label_map, legend, classes=None, mask=None):
    """Finds the pixels of an edit.

    Args:
        label_map: int (H, W), ids in [0, N).
        legend: `data_pipeline.labels.legend.Legend`.
        classes: names or ids of classes, in a list or alone; "car#2" is the second connected
            segment of class car in reading order.
        mask: bool, int or float array (H, W), not 0 inside.

    Returns:
        bool (H, W), or None if neither is given.

    Raises:
        DataError: both are given; a name or id that is no class; a class or segment that the label
            map does not have; a mask of another size or kind, or empty.
    """
    if classes is not None and mask is not None:
        raise DataError("a region must be given by classes or by a mask. Received: both")
    if mask is not None:
        return to_mask(mask, label_map.shape)
    if classes is None:
        return None
    if isinstance(classes, str) or np.ndim(classes) == 0:
        classes = [classes]
    regions = [_of_class(entry, label_map, legend) for entry in classes]
    if not regions:
        raise DataError("a region must have one class at least. Received: none")
    return np.any(regions, axis=0)


def class_id(name, legend):
    """Our id of a class by its name or by its id.

    Raises:
        DataError: no class of the model.
    """
    if isinstance(name, str):
        return legend.class_id(name.strip())
    if not is_whole(name) or not 0 <= name < legend.num_classes:
        raise DataError(
            f"a class must be a name, or an id in 0..{legend.num_classes - 1}. Received: {name!r}"
        )
    return int(name)


def _of_class(entry, label_map, legend):
    name, number = entry, None
    if isinstance(entry, str):
        name, hash_sign, digits = entry.rpartition("#")
        if not (hash_sign and digits.isdecimal()):
            name, digits = entry, None
        number = int(digits) if digits is not None else None
    label = class_id(name, legend)
    inside = label_map == label
    if not inside.any():
        present = [legend.class_names[i] for i in np.unique(label_map)]
        raise DataError(
            f"the label map must have the class to be redrawn. Received: {name}; "
            f"it has {', '.join(present)}"
        )
    if number is None:
        return inside
    segments = find_segments(label_map)
    chosen = (segments.classes == label) & (segments.numbers == number)
    if not chosen.any():
        count = int((segments.classes == label).sum())
        raise DataError(
            f"a segment must be one of the {count} of its class, {name}#1 to {name}#{count}. "
            f"Received: {entry}"
        )
    return chosen[segments.segment_map]
