"""The connected segments of a label map: one object, or several that touch."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage


class Segments(NamedTuple):
    """Segments of one label map: pixels of one class that touch along an edge.

    Attributes:
        segment_map: int32 (H, W) in [0, S).
        classes: int32 (S,), the class of each segment.
        numbers: int32 (S,), from 1 on within each class, in reading order of first pixels.
    """

    segment_map: np.ndarray
    classes: np.ndarray
    numbers: np.ndarray


def find_segments(label_map):
    """Finds the connected segments of an int (H, W) label map.

    >>> find_segments(np.array([[1, 0, 1], [1, 0, 0]])).segment_map.tolist()
    [[1, 0, 2], [1, 0, 0]]
    """
    segment_map = np.zeros(label_map.shape, np.int32)
    classes, numbers = [], []
    for label in np.unique(label_map):
        parts, count = ndimage.label(label_map == label)  # 1, 2, ... within the class
        # In which order SciPy numbers them is not documented, and seeds depend on it.
        _, first = np.unique(parts[parts > 0], return_index=True)
        rank = np.zeros(count + 1, np.int32)
        rank[1 + np.argsort(first)] = np.arange(count)
        segment_map[parts > 0] = len(classes) + rank[parts[parts > 0]]
        classes += [label] * count
        numbers += range(1, count + 1)
    return Segments(segment_map, np.array(classes, np.int32), np.array(numbers, np.int32))
