import numpy as np
import pytest
from PIL import Image

from data_pipeline.building.prepare import resize

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (23, 37, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(16, 24), (64, 64), (23, 37), (71, 50)])
def test_label_maps_are_resized_as_pillow_resizes_eight_bits(size):
    labels = np.random.default_rng(1).integers(0, 256, (23, 37))
    expected = Image.fromarray(labels.astype(np.uint8)).resize(size[::-1], Image.Resampling.NEAREST)
    image, resized = resize(PICTURE, labels, size)
    np.testing.assert_array_equal(resized, np.asarray(expected))
    assert image.shape == (*size, 3) and image.dtype == np.uint8
    # By hand: output pixel i looks at its centre, floor((i + 1/2) * scale).
    rows = ((np.arange(size[0]) + 0.5) * 23 / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * 37 / size[1]).astype(int)
    np.testing.assert_array_equal(resized, labels[rows][:, columns])


def test_ids_beyond_eight_bits_survive():
    labels = np.full((23, 37), 1203)
    assert resize(PICTURE, labels, (16, 24))[1].max() == 1203


def test_pictures_are_resized_bicubically():
    expected = PICTURE.resize((24, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(
        resize(PICTURE, np.zeros((23, 37), int), (16, 24))[0], np.asarray(expected)
    )
