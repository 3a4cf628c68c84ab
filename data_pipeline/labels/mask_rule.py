"""What the pixels of a mask file mean: a pixel is marked unless it is black or fully transparent.

So masks count as picture editors save them: white on black, a brush on a transparent layer
whatever colour is hidden below, grey with opacity. Half-transparent pixels are marked, and so are
all colours and levels of grey but 0, of 16 bits too. `oasis_tf/serving/exporting/label_png.py` is
the same rule as a graph.
"""

import numpy as np

from data_pipeline.datasets.pictures import open_mask

_ALMOST_ALL = 0.9


def read_mask(path):
    """Reads a mask file: bool (H, W).

    Raises:
        DataError: the file is missing, truncated or no picture; or it is a JPEG or a WebP, whose
            black is not black.
    """
    image = open_mask(path)
    if image.mode.startswith(("I", "F")):  # more than 8 bits, which Pillow would cut or clip
        return np.asarray(image) != 0
    pixels = np.asarray(image.convert("RGBA"))
    return pixels[..., :3].any(axis=-1) & (pixels[..., 3] > 0)


def how_much(mask):
    """How many pixels a mask marks, for a person who would notice a wrong mask by that.

    Args:
        mask: bool (H, W).

    >>> how_much(np.array([[True, False, False, False]]))
    '1 of 4 pixels'
    """
    text = f"{mask.sum()} of {mask.size} pixels"
    if mask.mean() > _ALMOST_ALL:
        text += ", almost the whole picture: is it black or transparent outside of what is meant?"
    return text
