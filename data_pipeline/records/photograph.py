"""Photographs as bytes: lossless, so that numbers from them can be trusted."""

import io

import numpy as np
from PIL import Image

# Of 286x286 photographs, beside PNG at level 1: a fifth smaller, encoded in 0.4 of the time, and
# decoded as fast. Method 6 saves another tenth and takes thirty times as long.
_OPTIONS = {"lossless": True, "quality": 0, "method": 0, "exact": True}


def encode_photograph(image):
    """Encodes uint8 (H, W, 3) RGB as the bytes of a lossless WebP file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image, np.uint8)).save(buffer, "WEBP", **_OPTIONS)
    return buffer.getvalue()
