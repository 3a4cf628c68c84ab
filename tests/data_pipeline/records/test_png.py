"""PNG files beside Pillow's reader; that of TensorFlow is in `test_schema.py`."""

import io

import numpy as np
import pytest
from PIL import Image

from data_pipeline.records.png import encode_image, encode_label_map


def read(png):
    with Image.open(io.BytesIO(png)) as image:
        image.verify()  # its checksums
    with Image.open(io.BytesIO(png)) as image:
        return image.mode, np.asarray(image)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_label_maps(rng, dtype, order):
    ids = rng.integers(0, min(65536, np.iinfo(dtype).max + 1), (5, 9))
    mode, found = read(encode_label_map(np.array(ids, dtype, order=order)))
    assert mode == "I;16"
    np.testing.assert_array_equal(found, ids)


def test_one_pixel():
    assert read(encode_label_map(np.array([[65535]])))[1].tolist() == [[65535]]


def test_images(rng):
    image = rng.integers(0, 256, (5, 9, 3), dtype=np.uint8)
    mode, found = read(encode_image(image[:, ::-1]))
    assert mode == "RGB"
    np.testing.assert_array_equal(found, image[:, ::-1])
