"""Mask files as picture editors save them, read by the commands and by the exported graph."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.errors import DataError
from data_pipeline.labels.mask_rule import read_mask
from oasis_tf.serving.exporting.label_png import decode_mask

INSIDE = np.zeros((24, 40), bool)
INSIDE[5:12, 8:30] = True
BYTES = INSIDE.astype(np.uint8)


def with_opacity(colour, opacity):
    """RGBA (H, W, 4) of one colour, or of an array of them."""
    return np.dstack([np.broadcast_to(np.uint8(colour), (*INSIDE.shape, 3)), opacity])


def palette(transparent=None):
    image = Image.fromarray(BYTES).convert("P")
    image.putpalette([9, 9, 9, 200, 0, 0] if transparent is not None else [0, 0, 0, 200, 0, 0])
    image.info.update({} if transparent is None else {"transparency": transparent})
    return image


FILES = {
    "white on black": Image.fromarray(BYTES * 255),
    "one level above black": Image.fromarray(BYTES),
    "one bit": Image.fromarray(INSIDE),
    "ones in 16 bits": Image.fromarray(BYTES.astype(np.uint16)),
    "a colour": Image.fromarray(BYTES[..., None] * np.uint8([0, 0, 90])),
    "a palette": palette(),
    # The colour that is hidden below is white too.
    "white on a transparent layer": Image.fromarray(with_opacity(255, BYTES * 255)),
    "almost transparent": Image.fromarray(with_opacity(255, BYTES)),
    "grey and opacity": Image.fromarray(with_opacity(255, BYTES * 255)[..., [0, 3]]),
    "black outside, all opaque": Image.fromarray(
        with_opacity(BYTES[..., None] * 255, np.full_like(BYTES, 255))
    ),
    "a palette with a transparent entry": palette(transparent=0),
}


def png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FILES)
def test_what_is_marked(tmp_path, kind):
    content = png(FILES[kind])
    (tmp_path / "mask.png").write_bytes(content)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), INSIDE)
    np.testing.assert_array_equal(decode_mask(tf.constant(content)), INSIDE)


def test_one_colour_that_is_transparent(tmp_path):
    content = png(Image.fromarray(np.where(INSIDE, 200, 255).astype(np.uint8)), transparency=255)
    (tmp_path / "mask.png").write_bytes(content)
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), INSIDE)
    np.testing.assert_array_equal(decode_mask(tf.constant(content)), INSIDE)


@pytest.mark.parametrize("kind", ["JPEG", "WebP"])
def test_lossy_formats(tmp_path, kind):
    Image.fromarray(BYTES * 255).save(tmp_path / "mask.png", kind)
    with pytest.raises(DataError, match=f"must be a picture without loss.* a picture in {kind}"):
        read_mask(tmp_path / "mask.png")


def test_no_picture(tmp_path):
    with pytest.raises(DataError, match="missing.png must be a complete, readable picture"):
        read_mask(tmp_path / "missing.png")
