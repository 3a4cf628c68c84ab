"""One colour for each class, for pictures of label maps."""

import colorsys

import numpy as np

UNLABELLED_COLOUR = (40, 40, 40)
_GOLDEN_RATIO = 0.6180339887498949
# (saturation, value) pairs: neighbours in hue still differ in strength.
_TONES = ((0.60, 0.95), (0.80, 0.75), (0.40, 0.85), (0.70, 0.55), (0.95, 0.95), (0.30, 0.70))


def default_palette(num_classes):
    """Gives every class a colour of its own, always the same one.

    Hues advance by the golden ratio, so any run of classes is spread round the colour wheel.

    Args:
        num_classes: N, the unlabelled class 0 included.

    Returns:
        uint8 (N, 3), RGB, all rows distinct; row 0 is dark grey.

    >>> default_palette(3).tolist()
    [[40, 40, 40], [38, 83, 191], [181, 217, 130]]
    """
    colours = [UNLABELLED_COLOUR]
    taken = {UNLABELLED_COLOUR}
    step = 1
    while len(colours) < num_classes:
        saturation, value = _TONES[step % len(_TONES)]
        rgb = colorsys.hsv_to_rgb(step * _GOLDEN_RATIO % 1, saturation, value)
        colour = tuple(round(255 * channel) for channel in rgb)
        step += 1
        if colour not in taken:
            taken.add(colour)
            colours.append(colour)
    return np.array(colours[:num_classes], np.uint8)  # (N, 3)
