import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.labels.legend import Legend
from oasis_tf.serving.exporting.label_png import (
    decode_ids,
    decode_mask,
    decode_numbers,
    read_headers,
)

PALETTE = np.array([[0, 0, 0], [255, 0, 0], [1, 2, 3], [255, 255, 255], [255, 0, 0]], np.uint8)
LEGEND = Legend(tuple("abcde"), tuple(map(tuple, PALETTE.tolist())))
IDS = np.array([[0, 1, 2], [3, 2, 1]])


def png(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def grey(ids, dtype=np.uint8, **options):
    return png(Image.fromarray(ids.astype(dtype)), **options)


def headers(*files):
    found = read_headers(tf.constant(files), "x")
    return found.sizes.numpy().tolist(), found.depths.numpy().tolist()


@tf.function(autograph=False)
def decode_row(*row):
    return decode_ids(*row, LEGEND, "x")


def decode(file):
    found = read_headers(tf.constant([file]), "x")
    return decode_row(tf.constant(file), found.depths[0], found.palettes[0]).numpy()


def test_headers():
    files = [grey(IDS), grey(np.zeros((7, 300)), np.uint16), png(Image.new("1", (5, 4)))]
    assert headers(*files) == ([[2, 3], [7, 300], [4, 5]], [8, 16, 1])


def test_sizes_beyond_int32():
    bomb = grey(IDS)[:16] + b"\xff" * 8 + grey(IDS)[24:]
    assert headers(bomb)[0] == [[2**31 - 1, 2**31 - 1]]


@pytest.mark.parametrize("file", [b"", b"\x89PNG", b"GIF89a" + b"\0" * 50, grey(IDS)[1:]])
def test_no_png(file):
    with pytest.raises(tf.errors.InvalidArgumentError, match="x must be PNG files"):
        headers(grey(IDS), file)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey(dtype):
    np.testing.assert_array_equal(decode(grey(IDS, dtype)), IDS)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_of_few_bits(bits):
    # By hand, for Pillow writes these depths for palette pictures only.
    ids = IDS % 2**bits
    lines = []
    for row in ids:
        digits = "".join(f"{value:0{bits}b}" for value in row)
        digits += "0" * (-len(digits) % 8)
        lines.append(b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big"))

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 3, 2, bits, 0, 0, 0, 0)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    file += chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decode(file), ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours(mode):
    picture = Image.fromarray(PALETTE[IDS]).convert(mode)
    np.testing.assert_array_equal(decode(png(picture)), IDS)


def test_a_palette_file_means_its_colours_whatever_their_order():
    picture = Image.fromarray((3 - IDS).astype(np.uint8)).convert("P")
    picture.putpalette(PALETTE[3::-1].tobytes())
    file = png(picture)
    assert file[25] == 3  # the header's colour type
    np.testing.assert_array_equal(decode(file), IDS)


def changed(file, *chunks):
    """A palette file with other chunks for its palette."""
    start = file.index(b"PLTE") - 4
    stop = start + 12 + int.from_bytes(file[start : start + 4], "big")
    return file[:start] + b"".join(chunks) + file[stop:]


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [struct.pack(">I", 4) + b"PLTE" + bytes(8)],
        [struct.pack(">I", 2**32 - 1) + b"teXt"],
        [struct.pack(">I", 0) + b"teXt" + bytes(4)] * 300,
    ],
)
def test_palettes_that_are_none(chunks):
    picture = Image.fromarray(IDS.astype(np.uint8)).convert("P")
    picture.putpalette(PALETTE.tobytes())
    # The search for the palette and the decoder run side by side; whichever is first speaks.
    message = "x: a PNG file must have its palette|Invalid PNG"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(changed(png(picture), *chunks))


def test_grey_with_opacity():
    picture = Image.fromarray(IDS.astype(np.uint8)).convert("LA")
    np.testing.assert_array_equal(decode(png(picture)), IDS)


def test_an_id_beyond_the_classes():
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="x: the ids must be those of the 5 classes.*: 300",
    ):
        decode(grey(IDS * 300, np.uint16))


def test_a_strange_colour():
    colours = PALETTE[IDS].copy()
    colours[1, 2] = [9, 8, 7]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"palette. Received: \[9 8 7\]"):
        decode(png(Image.fromarray(colours)))


@pytest.mark.parametrize("cut", [40, 60, -1])
def test_truncated(cut):
    file = grey(np.random.default_rng(0).integers(0, 5, (64, 64)))
    if cut == -1:
        cut = len(file) // 2
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(file[:cut])


def test_numbers_and_masks():
    numbers = decode_numbers(tf.constant(grey(IDS * 20)), 8, "x")
    np.testing.assert_array_equal(numbers, IDS * 20)
    numbers = np.array([[0, 257, 40_000, 65_535]])
    np.testing.assert_array_equal(decode_numbers(grey(numbers, np.uint16), 16, "x"), numbers)
    with pytest.raises(tf.errors.InvalidArgumentError, match="x must be grey"):
        decode_numbers(tf.constant(png(Image.new("RGB", (2, 2)))), 8, "x")
    white = Image.fromarray((IDS > 1).astype(np.uint8) * 255)
    pictures = [white.convert(mode) for mode in ("L", "LA", "RGB", "RGBA", "1")]
    pictures.append(Image.fromarray((IDS > 1).astype(np.uint16)))
    for picture in pictures:
        np.testing.assert_array_equal(decode_mask(tf.constant(png(picture))), IDS > 1)
