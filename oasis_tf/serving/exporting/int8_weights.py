"""Weights as whole numbers of 8 bits, each output channel with a scale of its own."""

import numpy as np

_LARGEST = 127


def to_int8(array, axes):
    """Quantises an array: symmetrically, so that zero stays zero.

    Args:
        array: float32.
        axes: tuple of the axes that share a scale.

    Returns:
        (int8 of the same shape, float32 scale that multiplies it back, of size 1 along `axes`).
    """
    scale = np.abs(array).max(axis=axes, keepdims=True).astype(np.float32) / np.float32(_LARGEST)
    scale[scale == 0] = 1
    return np.round(array / scale).clip(-_LARGEST, _LARGEST).astype(np.int8), scale


def rounded_to_int8(array):
    """What is left of an array of `PlainWeights` in int8: float32 of the same shape.

    Kernels (size, size, C, outputs) have a scale for each output, rows of labels (9, N + 1, C) one
    for each tap and channel; biases stay as they are, for they are few.
    """
    if array.ndim == 1:
        return array
    numbers, scale = to_int8(array, tuple(range(array.ndim - 1)) if array.ndim == 4 else (1,))
    return numbers * scale
