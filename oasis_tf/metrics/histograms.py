"""Distances between the colours, and between the textures, of two sets of pictures.

Colour: each of L*, a* and b* of CIELAB (D65) in 32 bins. Texture: the ten rotation-invariant
uniform local binary patterns of eight neighbours (Ojala et al. 2002) of the lightness, at the
distances 1, 2 and 4 pixels. Both are marginal histograms per class, so that LVIS fits too.
"""

import numpy as np

COLOUR_BINS = 32
_LAB_LOW = np.array([0.0, -100.0, -100.0])
_LAB_HIGH = np.array([100.0, 100.0, 100.0])
_RADII = (1, 2, 4)
TEXTURE_BINS = 10
# Differences of lightness below this are rounding of an 8-bit picture, not texture.
_TOLERANCE = 0.5
# Neighbours in a circle, so that changes along it can be counted.
_CIRCLE = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))

_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def to_lab(picture):
    """uint8 sRGB (..., 3) -> CIELAB float32 (..., 3), L* in [0, 100].

    >>> to_lab(np.array([[255, 255, 255]], np.uint8)).round(2).tolist()[0][0]
    100.0
    """
    table = np.arange(256) / 255
    table = np.where(table > 0.04045, ((table + 0.055) / 1.055) ** 2.4, table / 12.92)
    linear = table.astype(np.float32)[picture]
    white = _RGB_TO_XYZ.sum(axis=1)
    xyz = linear @ (_RGB_TO_XYZ / white[:, None]).T.astype(np.float32)
    delta = 6 / 29
    f = np.where(xyz > delta**3, np.cbrt(xyz), xyz / (3 * delta**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def colour_bins(picture):
    """Which bin each pixel is in, per axis of CIELAB.

    Args:
        picture: uint8 (H, W, 3).

    Returns:
        int32 (3, H, W) in [0, 32).
    """
    share = (to_lab(picture) - _LAB_LOW) / (_LAB_HIGH - _LAB_LOW)
    bins = np.clip((share * COLOUR_BINS).astype(np.int32), 0, COLOUR_BINS - 1)
    return np.moveaxis(bins, -1, 0)


def texture_bins(picture):
    """Which local binary pattern each pixel has, per distance.

    The pattern is the number of the eight neighbours that are at least as light as the pixel if
    along the circle they change at most twice, else 9. At the border neighbours are repeated.

    Args:
        picture: uint8 (H, W, 3).

    Returns:
        int32 (3, H, W) in [0, 10).
    """
    lightness = to_lab(picture)[..., 0]
    return np.stack([_patterns(lightness, radius) for radius in _RADII])


def _patterns(lightness, radius):
    height, width = lightness.shape
    padded = np.pad(lightness, radius, mode="edge")
    above = []
    for row, column in _CIRCLE:
        top, left = radius * (1 + row), radius * (1 + column)
        neighbour = padded[top : top + height, left : left + width]
        above.append(neighbour >= lightness - _TOLERANCE)
    above = np.stack(above)
    changes = (above != np.roll(above, 1, axis=0)).sum(axis=0)
    return np.where(changes <= 2, above.sum(axis=0), TEXTURE_BINS - 1).astype(np.int32)


def class_histograms(bins, size, label_map, num_classes):
    """Counts the bins of each class.

    Args:
        bins: int (3, H, W) in [0, size).
        size: number of bins.
        label_map: int (H, W) in [0, N).
        num_classes: N.

    Returns:
        int64 (N, 3, size).
    """
    axes = np.arange(len(bins))[:, None, None]
    keys = (label_map[None] * len(bins) + axes) * size + bins
    length = num_classes * len(bins) * size
    return np.bincount(keys.reshape(-1), minlength=length).reshape(num_classes, len(bins), size)


def chi_square(a, b):
    """Half of sum (a - b)^2 / (a + b) of normalised histograms, averaged over the other axes.

    Args:
        a: counts (..., bins); each row holds something.
        b: the same.

    Returns:
        float in [0, 1]; 1 where no bin is shared.
    """
    a, b = _normalised(a), _normalised(b)
    total = a + b
    terms = np.divide((a - b) ** 2, total, out=np.zeros_like(total), where=total > 0)
    return float(0.5 * terms.sum(axis=-1).mean())


def earth_movers(a, b):
    """Earth mover's distance on the line of bins, averaged over all but the last axis.

    Args:
        a: counts (..., bins); each row holds something. Bins are in order.
        b: the same.

    Returns:
        float in [0, 1]; 1 = everything has to go from the first bin to the last.
    """
    a, b = _normalised(a), _normalised(b)
    steps = np.abs(np.cumsum(a - b, axis=-1))[..., :-1]
    return float(steps.mean())


def _normalised(counts):
    counts = np.asarray(counts, np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("a histogram must hold something. Received: one without counts")
    return counts / total
