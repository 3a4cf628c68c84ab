"""Label maps as PNG files, read inside of the graph.

What they mean is the rule of `data_pipeline/labels/label_rule.py`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

_SIGNATURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_POWERS = (2**24, 2**16, 2**8, 1)  # four bytes make a number
_HEADER = 33  # bytes of signature and first chunk
_PALETTE_KIND = 3  # the header's colour type
_MOST_INDICES = 256
# A file that hides its palette behind more chunks than this is up to no good.
_MOST_CHUNKS = 256
# Checksums are linear: this is what the header's changes by when 3 becomes 0.
_CHECKSUM_CHANGE = np.array([0x12, 0xB5, 0xAF, 0xEE], np.uint8)


class Headers(NamedTuple):
    """What the headers of a batch of PNG files say.

    Attributes:
        sizes: int32 (B, 2), height and width.
        depths: int32 (B,), bits of a sample: 1, 2, 4, 8 or 16.
        palettes: bool (B,), the samples are indices of a palette.
    """

    sizes: tf.Tensor
    depths: tf.Tensor
    palettes: tf.Tensor


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
    powers = tf.constant(_POWERS, tf.int64)
    width = tf.reduce_sum(octets[:, 16:20] * powers, axis=1)
    height = tf.reduce_sum(octets[:, 20:24] * powers, axis=1)
    # Four bytes may say more than int32 holds; nothing so large is ever accepted.
    sizes = tf.cast(tf.minimum(tf.stack([height, width], axis=1), 2**31 - 1), tf.int32)
    return Headers(sizes, tf.cast(octets[:, 24], tf.int32), octets[:, 25] == _PALETTE_KIND)


def decode_ids(file, depth, has_palette, legend, name):
    """Decodes one label map.

    Args:
        file: string scalar, a PNG file.
        depth: int32 scalar, from its header.
        has_palette: bool scalar, likewise.
        legend: `Legend` of the model.
        name: of the input, for messages.

    Returns:
        int32 (H, W), our ids in [0, N).

    Raises:
        tf.errors.InvalidArgumentError: a damaged file, an id of no class, or a colour without a
            meaning.
    """
    rule = legend.rule

    def samples():
        picture = tf.io.decode_png(file, dtype=tf.uint16)
        return tf.cond(
            tf.shape(picture)[-1] <= 2,
            lambda: _grey(picture, depth),
            lambda: _ids_of_colours(picture, rule, name),
        )

    ids = tf.cond(has_palette, lambda: _ids_of_palette(file, depth, rule, name), samples)
    ours = _find(ids, legend.known_ids)
    strange = tf.reshape(ids, [-1])[tf.argmax(tf.reshape(ours < 0, [-1]))]
    message = f"{name}: the ids must be those of the {legend.num_classes} classes"
    check = require(tf.reduce_min(ours) >= 0, message + ". Received: {}", strange)
    with tf.control_dependencies([check]):
        return tf.identity(ours)


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
    """Decodes one PNG of any kind: bool (H, W), True where neither black nor fully transparent.

    That is the rule of `data_pipeline/labels/mask_rule.py`.

    Raises:
        tf.errors.InvalidArgumentError: a damaged file.
    """
    # Four channels whatever the file has: what is transparent by its palette or by a single colour
    # is so too.
    picture = tf.io.decode_png(file, channels=4, dtype=tf.uint16)
    return tf.reduce_any(picture[..., :3] != 0, axis=-1) & (picture[..., 3] != 0)


def _grey(picture, depth):
    """The decoder spreads every depth over 16 bits; this takes it back."""
    largest = tf.cast(tf.bitwise.left_shift(1, depth) - 1, tf.int64)
    return tf.cast(tf.cast(picture[..., 0], tf.int64) * largest // 65535, tf.int32)


def _ids_of_colours(picture, rule, name):
    # 8 bits are all that a list of colours has.
    colours = tf.cast(picture[..., :3], tf.int32) // 256
    keys = _keys(colours)
    by_list, by_shown = _find_colours(keys, rule.colours), _find_colours(keys, rule.shown)
    ids = tf.where(tf.reduce_min(by_list) >= 0, by_list, by_shown)
    strange = tf.reshape(ids < 0, [-1])
    example = tf.reshape(colours, (-1, 3))[tf.argmax(strange)]
    message = f"{name}: the colours must be those of the model's palette. Received: {{}}"
    with tf.control_dependencies([require(~tf.reduce_any(strange), message, example)]):
        return tf.identity(ids)


def _ids_of_palette(file, depth, rule, name):
    indices = _grey(tf.io.decode_png(_as_grey(file), dtype=tf.uint16), depth)  # (H, W)
    colours = _read_palette(file, name)  # (K, 3)
    size = tf.shape(colours)[0]
    used = tf.math.bincount(tf.reshape(indices, [-1]), minlength=_MOST_INDICES) > 0  # (256,)
    colours = tf.pad(colours, [[0, _MOST_INDICES - size], [0, 0]])
    every = tf.range(_MOST_INDICES)
    keys = tf.where(every < size, _keys(colours), -1)

    # Row by row of the palette, as in `LabelRule`.
    own = np.full(_MOST_INDICES, -2, np.int32)
    uncoloured = np.zeros(_MOST_INDICES, bool)
    for index in range(_MOST_INDICES):
        own[index] = _keys(np.array((rule.colours or {}).get(index, (-1, 0, 0)), np.int32))
        uncoloured[index] = bool(rule.colours) and index in rule.uncoloured
    by_list = tf.where(own == keys, every, _find_colours(keys, rule.colours))
    by_list = tf.where((by_list < 0) & uncoloured & (keys >= 0), every, by_list)
    by_shown = _find_colours(keys, rule.shown)
    levels = colours[:, 0]

    all_listed = tf.reduce_all((by_list >= 0) | ~used)
    all_grey = tf.reduce_all(colours == colours[:, :1])
    table = tf.where(all_listed, by_list, tf.where(all_grey, levels, by_shown))
    strange = used & ((table < 0) | (every >= size))
    per_level = tf.math.bincount(tf.boolean_mask(levels, used))
    distinct = all_listed | ~all_grey | (tf.reduce_max(per_level) <= 1)
    example = colours[tf.argmax(strange)]
    checks = [
        require(
            ~tf.reduce_any(strange),
            f"{name}: the colours must be those of the model's palette. Received: {{}}",
            example,
        ),
        require(distinct, f"{name}: a palette of greys must give every index a grey of its own."),
    ]
    with tf.control_dependencies(checks):
        return tf.gather(table, indices)


def _as_grey(file):
    """The same file with its indices for greys, which the decoder leaves alone."""
    checksum = tf.io.decode_raw(tf.strings.substr(file, 29, 4), tf.uint8)
    checksum = tf.bitwise.bitwise_xor(checksum, _CHECKSUM_CHANGE)
    characters = tf.gather(
        tf.constant([bytes([i]) for i in range(256)]), tf.cast(checksum, "int32")
    )
    parts = [tf.strings.substr(file, 0, 25), "\0", tf.strings.substr(file, 26, 3)]
    parts += [tf.strings.reduce_join(characters), tf.strings.substr(file, _HEADER, -1)]
    return tf.strings.join(parts)


def _read_palette(file, name):
    """The entries of the palette: int32 (K, 3)."""
    length = tf.cast(tf.strings.length(file), tf.int64)

    def chunk(at):
        octets = tf.io.decode_raw(tf.strings.substr(file, at, 4), tf.uint8)
        size = tf.reduce_sum(tf.cast(octets, tf.int64) * tf.constant(_POWERS, tf.int64))
        return size, tf.strings.substr(file, at + 4, 4)

    def going_on(at):
        def other():
            kind = chunk(at)[1]
            return (kind != "PLTE") & (kind != "IDAT")

        return tf.cond(at + 8 <= length, other, lambda: False)

    at = tf.constant(_HEADER, tf.int64)
    (at,) = tf.while_loop(
        going_on, lambda at: (at + 12 + chunk(at)[0],), (at,), maximum_iterations=_MOST_CHUNKS
    )
    at = tf.minimum(at, length - 8)  # of a file that is cut short, which has no palette there
    size, kind = chunk(at)
    good = (kind == "PLTE") & (size > 0) & (size % 3 == 0) & (size <= 3 * _MOST_INDICES)
    good &= at + 8 + size <= length
    with tf.control_dependencies([require(good, f"{name}: a PNG file must have its palette.")]):
        data = tf.strings.substr(file, at + 8, size)
    return tf.cast(tf.reshape(tf.io.decode_raw(data, tf.uint8), (-1, 3)), tf.int32)


def _find_colours(keys, colours):
    """The lowest id of each colour, -1 where it has none."""
    first = {}
    for label in sorted(colours or ()):
        first.setdefault(int(_keys(np.array(colours[label]))), label)
    return _find(keys, first)


def _find(keys, table):
    """What a dict from ints to ints says of each key, -1 where nothing."""
    if not table:
        return tf.fill(tf.shape(keys), -1)
    known = np.array(sorted(table), np.int32)
    values = np.array([table[key] for key in sorted(table)], np.int32)
    flat = tf.reshape(keys, [-1])
    place = tf.minimum(tf.searchsorted(known, flat), len(known) - 1)
    found = tf.where(tf.gather(known, place) == flat, tf.gather(values, place), -1)
    return tf.reshape(found, tf.shape(keys))


def _keys(colours):
    return (colours[..., 0] * 256 + colours[..., 1]) * 256 + colours[..., 2]
