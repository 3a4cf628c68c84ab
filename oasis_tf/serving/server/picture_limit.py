"""Refuses pictures that are small files but large in memory, before anything decodes them."""

import numpy as np

from oasis_tf.serving.server.errors import bad_request

_PNG = b"\x89PNG\r\n\x1a\n"


def check_pictures(inputs, max_pixels):
    """Adds up the sizes that the PNG files among the inputs claim in their headers.

    Args:
        inputs: dict of arrays; those of bytes objects are looked at.
        max_pixels: of all PNG files of one input together.

    Raises:
        ApiError: 400, there are more.
    """
    for name, array in inputs.items():
        if array.dtype != np.object_:
            continue
        pixels = sum(map(_pixels, array.ravel()))
        if pixels > max_pixels:
            raise bad_request(
                f"input {name!r}: its pictures in one request may have {max_pixels} "
                f"pixels together. Received: {pixels}"
            )


def _pixels(data):
    if not data.startswith(_PNG):
        return 0
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
