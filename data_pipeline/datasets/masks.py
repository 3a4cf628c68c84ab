"""COCO segmentations (polygons, RLE) to masks, through pycocotools."""

import numpy as np
from pycocotools import mask

# Far outside any picture. The C code rasterises edges point by point and does not check.
_LARGEST_COORDINATE = 1e5


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


def decode(segmentation, height, width):
    """Decodes one annotation's segmentation.

    Args:
        segmentation: list of polygons [x0, y0, x1, y1, ...] (their union is taken), or RLE
            {"size": [h, w], "counts": list of ints or compressed string}.
        height, width: of the picture.

    Returns:
        bool (height, width).

    Raises:
        ValueError: malformed, with the reason. pycocotools itself may read out of bounds then,
            so everything is checked before it.
    """
    if isinstance(segmentation, list):
        _check_polygons(segmentation)
        # A fresh call for each polygon: given a list, pycocotools takes one whose first polygon
        # has four numbers for boxes.
        parts = [mask.frPyObjects([polygon], height, width)[0] for polygon in segmentation]
        rle = mask.merge(parts)
    elif isinstance(segmentation, dict):
        rle = _rle(segmentation, height, width)
    else:
        raise ValueError(f"expected polygons or RLE, got {type(segmentation).__name__}")
    return mask.decode(rle).view(bool)  # 0 and 1, column by column in memory


def _check_polygons(polygons):
    if not polygons:
        raise ValueError("no polygon")
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


def _rle(segmentation, height, width):
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise ValueError(f"RLE size must be [height, width] = [{height}, {width}], got {size}")
    if isinstance(counts, list):
        whole = all(type(count) is int and count >= 0 for count in counts)
        if not whole or sum(counts) != height * width:
            raise ValueError(f"RLE counts must be whole and add up to {height * width}")
        return mask.frPyObjects(segmentation, height, width)
    if not isinstance(counts, str):
        raise ValueError("RLE counts must be a list or a string")
    # Six bits a character from "0" on; bit 5 says that the number goes on.
    sixes = [ord(character) - 48 for character in counts]
    if not sixes or not all(0 <= six < 64 for six in sixes) or sixes[-1] & 32:
        raise ValueError("RLE counts are no compressed RLE string")
    if sum(_runs(sixes)) != height * width:
        raise ValueError(f"RLE counts must add up to {height * width}")
    return {"size": size, "counts": counts.encode("ascii")}


def _runs(sixes):
    """Yields the run lengths; from the fourth on they are stored as a difference to two before."""
    runs, value, shift = [], 0, 0
    for six in sixes:
        value |= (six & 31) << shift
        shift += 5
        if six & 32:
            continue
        if six & 16:  # negative number
            value -= 1 << shift
        run = value + (runs[-2] if len(runs) > 2 else 0)
        if run < 0:
            raise ValueError("RLE counts must not be negative")
        runs.append(run)
        value, shift = 0, 0
    return runs
