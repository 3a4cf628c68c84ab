import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.reading.transforms import centre_crop, random_crop_and_flip, to_model_range

# Each pixel says where it was: label = 100 * row + column, and the picture holds the two apart.
ROWS, COLUMNS = np.mgrid[0:12, 0:20]
LABELS = (100 * ROWS + COLUMNS).astype(np.int32)
IMAGE = np.stack([ROWS, COLUMNS, ROWS], -1).astype(np.uint8)


def crop(seed, size=(8, 16)):
    return random_crop_and_flip(IMAGE, LABELS, size, tf.constant([5, seed], tf.int64))


def in_map(seed, size=(8, 16)):
    seeds = tf.data.Dataset.from_tensors(tf.constant([5, seed], tf.int64))
    return next(iter(seeds.map(lambda s: random_crop_and_flip(IMAGE, LABELS, size, s))))


def test_image_and_label_map_stay_together():
    for seed in range(10):
        image, labels = (array.numpy().astype(int) for array in crop(seed))
        np.testing.assert_array_equal(labels, 100 * image[..., 0] + image[..., 1])
        assert image.shape == (8, 16, 3)
        steps = np.diff(labels, axis=1)
        assert (steps == 1).all() or (steps == -1).all()  # one window, mirrored or not


def test_every_window_and_both_directions_come():
    windows = [crop(seed)[1].numpy() for seed in range(200)]
    # 12 - 8 + 1 = 5 rows and 20 - 16 + 1 = 5 columns to start at
    assert {window.min() for window in windows} == {
        100 * row + column for row in range(5) for column in range(5)
    }
    assert 60 < sum(window[0, 0] > window[0, 1] for window in windows) < 140


def test_eager_and_mapped_agree():
    for seed in range(3):
        for eager, mapped in zip(crop(seed), in_map(seed), strict=True):
            np.testing.assert_array_equal(eager, mapped)


def test_equal_size_only_flips():
    labels = crop(1, (12, 20))[1].numpy()
    assert (labels == LABELS).all() or (labels == LABELS[:, ::-1]).all()


def test_centre_crop_by_hand():
    # (12 - 8) // 2 = 2 rows and (20 - 16) // 2 = 2 columns are cut off before
    assert centre_crop(IMAGE, LABELS, (8, 16))[1][0, 0] == 202


@pytest.mark.parametrize("value, expected", [(0, -1), (255, 1), (51, -0.6)])
def test_model_range(value, expected):
    # 51 / 127.5 - 1 = -0.6
    out = to_model_range(tf.constant([value], tf.uint8))
    assert out.dtype == tf.float32
    np.testing.assert_allclose(out, [expected], rtol=1e-6)
    mapped = tf.data.Dataset.from_tensors(np.uint8([value])).map(to_model_range)
    np.testing.assert_array_equal(next(iter(mapped)), out)
