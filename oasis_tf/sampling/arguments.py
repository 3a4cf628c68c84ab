"""Arrays and numbers that people hand over: taken or refused alike by the library and the client.

What is a bool is no number, and what is a float is no id: nothing is rounded or cut in silence. The
server refuses the same, by the types of its inputs.
"""

import numpy as np

from data_pipeline.errors import DataError
from data_pipeline.labels.legend import check_ids


def is_whole(value):
    """Whether a value is a whole number: an int or one of NumPy's, and no bool.

    >>> is_whole(np.int64(3)), is_whole(np.array(3)), is_whole(3.0), is_whole(True)
    (True, True, False, False)
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def to_label_map(label_map, num_classes):
    """Checks a label map.

    Args:
        label_map: int array or nested lists (H, W), ids in [0, N).
        num_classes: N.

    Returns:
        int32 (H, W).

    Raises:
        DataError: no filled array of whole numbers with two dimensions, or ids of no class.
    """
    label_map = _array(label_map)
    if label_map.ndim != 2 or label_map.dtype.kind not in "iu" or not label_map.size:
        raise DataError(
            "a label map must be a filled int array (h, w). "
            f"Received: {label_map.dtype} of shape {label_map.shape}"
        )
    good = (label_map >= 0) & (label_map < num_classes)
    check_ids(label_map, good, f"in 0..{num_classes - 1}, the model's classes")
    return label_map.astype(np.int32)


def to_mask(mask, shape):
    """Checks a mask.

    Args:
        mask: array or nested lists (H, W), bool, int or float without NaN: not 0 inside.
        shape: (H, W), the label map's.

    Returns:
        bool (H, W).

    Raises:
        DataError: of another size or kind, or it marks no pixel.
    """
    mask = _array(mask)
    if mask.shape != tuple(shape):
        raise DataError(
            "a mask must have the size of the label map, "
            f"{shape[0]}x{shape[1]}. Received: {'x'.join(map(str, mask.shape))}"
        )
    if mask.dtype.kind not in "biuf":
        raise DataError(f"a mask must hold bools or numbers. Received: {mask.dtype}")
    if mask.dtype.kind == "f" and not np.isfinite(mask).all():
        raise DataError("a mask must hold finite numbers. Received: NaN or infinity")
    inside = mask != 0
    if not inside.any():
        raise DataError("a mask must mark one pixel at least. Received: none")
    return inside


def to_seed_map(seed_map, shape):
    """Checks a map of seeds.

    Args:
        seed_map: int array or nested lists (H, W), in [0, 65535].
        shape: (H, W), the label map's.

    Returns:
        int32 (H, W).

    Raises:
        DataError: of another size, no whole numbers, or out of range.
    """
    seed_map = _array(seed_map)
    if seed_map.shape != tuple(shape) or seed_map.dtype.kind not in "iu":
        raise DataError(
            "a map of seeds must be an int array of the size of the label map, "
            f"{shape[0]}x{shape[1]}. Received: {seed_map.dtype} of shape {seed_map.shape}"
        )
    if seed_map.min() < 0 or seed_map.max() >= 2**16:
        raise DataError(
            f"the seeds of a map must be in 0..65535. Received: {seed_map.min()} to "
            f"{seed_map.max()}"
        )
    return seed_map.astype(np.int32)


def _array(value):
    try:
        return np.asarray(value)
    except ValueError as error:  # lists of several lengths
        raise DataError(f"an array must have rows of one length. Received: {error}") from None
