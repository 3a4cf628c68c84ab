"""How far a change of labels or noise can show in the picture."""

from oasis_tf.models.generator import SCALES


def reach():
    """The largest distance, along either axis, from a changed pixel to one that depends on it.

    In evaluation the batch statistics are fixed, so the generator is a stack of local operations
    and a pixel depends on a window of the label map and the noise map alone. Going back from a
    pixel: the last convolution reads one pixel to each side; a residual block reads two pixels of
    its input and, through two 3x3 convolutions after a SPADE of 5x5 pixels each, four pixels of
    the maps at its own scale (a pixel of scale s is pixel s times as far in the full map);
    upsampling halves positions; the first convolution reads one pixel at the coarsest scale.

    Returns:
        int, in pixels of the picture as the generator draws it.

    >>> reach()
    222
    """
    period = max(SCALES)
    return max(
        max(pixel - low, high - pixel)
        for pixel in range(period)
        for low, high in [_window(pixel - 1, pixel + 1, sorted(SCALES))]
    )


def _window(low, high, scales):
    """First and last pixel of the maps that the pixels low..high of the finest scale depend on."""
    scale, *coarser = scales
    maps = scale * (low - 4), scale * (high + 4)
    low, high = low - 2, high + 2
    if not coarser:  # the first convolution's three pixels are within the block's four
        return maps
    low, high = _window(low // 2, high // 2, coarser)
    return min(low, maps[0]), max(high, maps[1])
