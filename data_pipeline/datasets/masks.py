"""COCO segmentations (polygons, RLE) to label maps; pycocotools rasterises the polygons."""

import numpy as np
from pycocotools import mask

# Far outside any picture. The C code rasterises edges point by point and does not check.
_LARGEST_COORDINATE = 1e5
_MOST_DIGITS = 8  # of five bits


def emptiness(segmentation):
    """Why a segmentation outlines nothing, or None; looks at no number, so it is quick.

    >>> emptiness([[5, 5, 9, 9]])
    'a polygon of 4 numbers'
    >>> emptiness([[0, 0, 9, 0, 9, 9]])
    """
    if not segmentation:
        return repr(segmentation)
    if isinstance(segmentation, list):
        for polygon in segmentation:
            if not isinstance(polygon, list):
                return f"{polygon!r} in the place of a polygon"
            if len(polygon) < 6:
                return f"a polygon of {len(polygon)} numbers"
    return None


def paint(label_map, segmentation, number):
    """Paints what one annotation outlines.

    Run by run: a mask of the whole picture, mostly empty, would take ten times as long.

    Args:
        label_map: int (height, width), changed in place; column by column in memory
            (`order="F"`), as the runs are.
        segmentation: list of polygons [x0, y0, x1, y1, ...] (their union is taken), or RLE
            {"size": [h, w], "counts": list of ints or compressed string}.
        number: int, for the pixels outlined.

    Raises:
        ValueError: malformed, with the reason. pycocotools itself may read out of bounds then,
            so everything is checked before it.
    """
    height, width = label_map.shape
    if isinstance(segmentation, list):
        # A fresh call for each polygon: given a list, pycocotools takes one whose first polygon
        # has four numbers for boxes.
        parts = [mask.frPyObjects([points], height, width)[0] for points in _polygons(segmentation)]
        runs = _runs((mask.merge(parts) if len(parts) > 1 else parts[0])["counts"])
    elif isinstance(segmentation, dict):
        runs = _rle(segmentation, height, width)
    else:
        raise ValueError(f"expected polygons or RLE, got {type(segmentation).__name__}")
    flat = label_map.reshape(-1, order="F")  # a view
    ends = np.cumsum(runs)[1::2]
    inside = np.asarray(runs)[1::2]
    # The places from the start to the end of each run that is on.
    offsets = np.repeat(ends - np.cumsum(inside), inside)
    flat[offsets + np.arange(len(offsets))] = number


def _polygons(polygons):
    """The polygons as float64 arrays (2n,), checked."""
    if not polygons:
        raise ValueError("no polygon")
    checked = []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError("a polygon must be a list of x, y pairs, three points at least")
        try:
            points = np.array(polygon, np.float64)
        except (TypeError, ValueError):
            raise ValueError("a polygon must hold numbers") from None
        # Written so that NaN fails too.
        if points.ndim != 1 or not (np.abs(points) < _LARGEST_COORDINATE).all():
            raise ValueError("a polygon's coordinates must be finite and near the picture")
        checked.append(points)
    return checked


def _rle(segmentation, height, width):
    """The runs of RLE, off and on in turns."""
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise ValueError(f"RLE size must be [height, width] = [{height}, {width}], got {size}")
    if isinstance(counts, list):
        whole = all(type(count) is int and count >= 0 for count in counts)
        if not whole or sum(counts) != height * width:
            raise ValueError(f"RLE counts must be whole and add up to {height * width}")
        return counts
    if not isinstance(counts, str):
        raise ValueError("RLE counts must be a list or a string")
    runs = _runs(counts.encode())
    if sum(runs) != height * width:
        raise ValueError(f"RLE counts must add up to {height * width}")
    return runs


def _runs(counts):
    """The runs of COCO's compressed form: bytes -> int64 (n,), off and on in turns.

    Six bits a character from "0" on. Of each, five are digits of a number, the lowest first, and
    one says that the number goes on. Numbers may be negative, in two's complement: from the fourth
    on they are the difference to the run two before.
    """
    sixes = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    if not len(sixes) or sixes.min() < 0 or sixes.max() > 63 or sixes[-1] & 32:
        raise ValueError("RLE counts are no compressed RLE string")
    last = np.flatnonzero(sixes & 32 == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last - first + 1
    if lengths.max() > _MOST_DIGITS:
        raise ValueError("RLE counts must not be larger than a picture")
    digit = np.arange(len(sixes)) - np.repeat(first, lengths)
    values = np.add.reduceat((sixes & 31) << 5 * digit, first)
    values -= np.where(sixes[last] & 16, 1 << 5 * lengths, 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    if values.min() < 0:
        raise ValueError("RLE counts must not be negative")
    return values
