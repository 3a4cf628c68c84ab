"""PNG bytes of images and label maps: lossless, so that numbers from them can be trusted."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

# Level 1 makes files 6% larger than level 6 and encodes three times as fast (286x286 photographs).
_COMPRESS_LEVEL = 1


def encode_image(image):
    """Encodes uint8 (H, W, 3) RGB as 8-bit PNG bytes."""
    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image, np.uint8))
    picture.save(buffer, "PNG", compress_level=_COMPRESS_LEVEL)
    return buffer.getvalue()


def encode_label_map(label_map):
    """Encodes int (H, W), ids in [0, 65535], as 16-bit greyscale PNG bytes.

    Always 16 bits: LVIS has 1204 classes, and a decoder asked for 16 bits rescales 8-bit values.

    Written here, because Pillow tries five filters on each row: that takes three times as long, and
    ids are compressed better without a filter.
    """
    height, width = label_map.shape
    rows = np.zeros((height, 1 + 2 * width), np.uint8)  # each begins with its filter, 0: none
    rows[:, 1:] = np.ascontiguousarray(label_map, ">u2").view(np.uint8)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0),  # greys of 16 bits
        b"IDAT": zlib.compress(rows, _COMPRESS_LEVEL),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks.items()
    )
