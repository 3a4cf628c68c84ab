import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.plain_generator import draw_plainly, plain_weights
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations
from tests.serving.exporting.toy_generator import CLASSES, toy_generator


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def weights(generator):
    return plain_weights(fuse_norms(generator))


def inputs(size=(32, 64), block=8, seed=0):
    """Two blocky label maps, and noise of three vectors in other blocks."""
    rng = np.random.default_rng(seed)
    height, width = size

    def blocks(ids, side):
        small = rng.integers(0, ids, (2, -(-height // side), -(-width // side)))
        return small.repeat(side, 1).repeat(side, 2)[:, :height, :width].astype(np.int32)

    return blocks(CLASSES, block), rng.normal(size=(2, 3, 4)).astype(np.float32), blocks(3, 5)


def draw(weights, *inputs):
    return draw_plainly(weights, TensorFlowOperations(), *inputs)


def expected(generator, label_map, noise, noise_map):
    return generator(tf.constant(label_map), tf.constant(noise), tf.constant(noise_map)).numpy()


@pytest.mark.parametrize("size, block", [((32, 64), 8), ((96, 32), 1)])
def test_the_generators_pictures(generator, weights, size, block):
    given = inputs(size, block)
    right = expected(generator, *given)
    assert right.std() > 0.05  # else the comparison would say nothing
    np.testing.assert_allclose(draw(weights, *given), right, atol=1e-5)


def test_a_map_of_one_pixel_stands_for_the_picture(generator, weights):
    label_map, noise, noise_map = inputs()
    one = np.full([2, 1, 1], 2, np.int32)
    right = expected(generator, label_map, noise, np.full_like(noise_map, 2))
    np.testing.assert_allclose(draw(weights, label_map, noise, one), right, atol=1e-5)


# Changes of `inputs()` that no engine may draw from.
MISFITS = [
    lambda labels, noise, noise_map: (labels + CLASSES, noise, noise_map),
    lambda labels, noise, noise_map: (labels - 1, noise, noise_map),
    lambda labels, noise, noise_map: (labels, noise, noise_map + 3),
    lambda labels, noise, noise_map: (labels, noise, noise_map - 1),
    lambda labels, noise, noise_map: (labels, noise[:1], noise_map),
    lambda labels, noise, noise_map: (labels[:1], noise, noise_map[:1]),
    lambda labels, noise, noise_map: (labels[:, :24], noise, noise_map[:, :24]),
    # A side of one pixel could be stretched to whatever it meets.
    lambda labels, noise, noise_map: (labels[:, :1], noise, noise_map[:, :1]),
    lambda labels, noise, noise_map: (labels, noise, noise_map[:, :16]),
    lambda labels, noise, noise_map: (labels[:, :1, :1], noise, noise_map),
]


@pytest.mark.parametrize("change", MISFITS)
def test_what_does_not_fit_is_an_error(weights, change):
    with pytest.raises(tf.errors.InvalidArgumentError):
        draw(weights, *change(*inputs()))
