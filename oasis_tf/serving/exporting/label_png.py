"""Label maps as PNG files, read inside of the graph."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_SIGNATURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_HEADER = 33  # bytes of signature and first chunk


class Headers(NamedTuple):
    """What the headers of a batch of PNG files say.

    Attributes:
        sizes: int32 (B, 2), height and width.
        depths: int32 (B,), bits of a sample: 1, 2, 4, 8 or 16.
    """

    sizes: tf.Tensor
    depths: tf.Tensor


def require(condition, message, *values):
    """Raises InvalidArgumentError, in a graph, unless `condition` holds.

    Args:
        condition: bool scalar.
        message: str with a `{}` for each value.
        *values: tensors.
    """
    return tf.debugging.Assert(condition, [tf.strings.format(message, values, summarize=-1)])


def read_headers(files, name):
    """Reads the headers of PNG files, before anything of their size is allocated.

    Args:
        files: string (B,).
        name: of the input, for messages.

    Returns:
        `Headers`.

    Raises:
        tf.errors.InvalidArgumentError: not a PNG file.
    """
    starts = tf.strings.substr(files + "\0" * _HEADER, 0, _HEADER)
    is_png = tf.strings.substr(starts, 0, len(_SIGNATURE)) == tf.constant(_SIGNATURE)
    with tf.control_dependencies([require(tf.reduce_all(is_png), f"{name} must be PNG files.")]):
        starts = tf.identity(starts)
    octets = tf.cast(tf.io.decode_raw(starts, tf.uint8, fixed_length=_HEADER), tf.int64)
    octets = tf.reshape(octets, (-1, _HEADER))
    powers = tf.constant([2**24, 2**16, 2**8, 1], tf.int64)
    width = tf.reduce_sum(octets[:, 16:20] * powers, axis=1)
    height = tf.reduce_sum(octets[:, 20:24] * powers, axis=1)
    # Four bytes may say more than int32 holds; nothing so large is ever accepted.
    sizes = tf.cast(tf.minimum(tf.stack([height, width], axis=1), 2**31 - 1), tf.int32)
    return Headers(sizes, tf.cast(octets[:, 24], tf.int32))


def decode_ids(file, depth, palette, name):
    """Decodes one label map.

    Grey PNGs of any depth hold ids; palette and colour PNGs hold the palette's colours.

    Args:
        file: string scalar, a PNG file.
        depth: int32 scalar, from its header.
        palette: uint8 array (N, 3).
        name: of the input, for messages.

    Returns:
        int32 (H, W), in [0, N).

    Raises:
        tf.errors.InvalidArgumentError: a damaged file, an id beyond the classes, or a colour
            that is not in the palette.
    """
    picture = tf.io.decode_png(file, dtype=tf.uint16)
    ids = tf.cond(
        tf.shape(picture)[-1] <= 2,
        lambda: _grey(picture, depth),
        lambda: _classes_of_colours(picture, palette, name),
    )
    largest, classes = tf.reduce_max(ids), len(palette)
    message = f"{name}: the ids must be below {classes}. Received: {{}}"
    with tf.control_dependencies([require(largest < classes, message, largest)]):
        return tf.identity(ids)


def decode_numbers(file, depth, name):
    """Decodes one grey PNG of any depth: int32 (H, W), the numbers it holds.

    Raises:
        tf.errors.InvalidArgumentError: a damaged file, or one with colours.
    """
    picture = tf.io.decode_png(file, dtype=tf.uint16)
    with tf.control_dependencies(
        [require(tf.shape(picture)[-1] <= 2, f"{name} must be grey PNG files.")]
    ):
        return _grey(picture, depth)


def decode_mask(file):
    """Decodes one PNG of any kind: bool (H, W), True where it is not black.

    Raises:
        tf.errors.InvalidArgumentError: a damaged file.
    """
    picture = tf.io.decode_png(file, dtype=tf.uint16)
    # An even number of channels ends with one of opacity.
    colours = tf.shape(picture)[-1] - (1 - tf.shape(picture)[-1] % 2)
    return tf.reduce_any(picture[..., :colours] != 0, axis=-1)


def _grey(picture, depth):
    """The decoder spreads every depth over 16 bits; this takes it back."""
    largest = tf.cast(tf.bitwise.left_shift(1, depth) - 1, tf.int64)
    return tf.cast(tf.cast(picture[..., 0], tf.int64) * largest // 65535, tf.int32)


def _classes_of_colours(picture, palette, name):
    known, first = np.unique(_keys(palette.astype(np.int32)), return_index=True)
    # 8 bits are all that a palette has.
    colours = tf.cast(picture[..., :3], tf.int32) // 257
    keys = tf.reshape(_keys(colours), [-1])
    place = tf.minimum(tf.searchsorted(known.astype(np.int32), keys), len(known) - 1)
    strange = tf.gather(known.astype(np.int32), place) != keys
    example = tf.reshape(colours, (-1, 3))[tf.argmax(strange)]
    check = require(
        ~tf.reduce_any(strange),
        f"{name}: the colours must be those of the model's palette. Received: {{}}",
        example,
    )
    with tf.control_dependencies([check]):
        ids = tf.gather(first.astype(np.int32), place)
    return tf.reshape(ids, tf.shape(picture)[:2])


def _keys(colours):
    return (colours[..., 0] * 256 + colours[..., 1]) * 256 + colours[..., 2]
