"""What the generator promises beyond parity: shapes, bad input, independence."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.generator import Generator
from oasis_tf.sampling.receptive_field import reach
from tests.contracts import assert_checkpointed_wholly

N, Z, H, W = 4, 3, 32, 64


@pytest.fixture(scope="module")
def generator():
    return Generator(N, base_channels=1, noise_channels=Z, hidden=8, gain=1.0)


@pytest.fixture
def label_map(rng):
    return np.repeat(np.repeat(rng.integers(0, N, (2, H // 8, W // 8)), 8, 1), 8, 2)


def test_range_and_shape(generator, label_map, rng):
    image = generator(label_map, rng.normal(size=(2, Z)).astype(np.float32))
    assert image.shape == (2, H, W, 3)
    assert image.dtype == tf.float32
    assert np.abs(image).max() <= 1


def test_one_vector_per_image_is_a_special_case_of_a_noise_map(generator, label_map, rng):
    noise = rng.normal(size=(2, Z)).astype(np.float32)
    expected = generator(label_map, noise)
    table = np.stack([rng.normal(size=(2, Z)), noise], axis=1).astype(np.float32)
    image = generator(label_map, table, np.ones_like(label_map))
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_in_evaluation_a_picture_does_not_depend_on_its_neighbours(generator, label_map, rng):
    noise = rng.normal(size=(2, Z)).astype(np.float32)
    both = generator(label_map, noise)
    alone = generator(label_map[1:], noise[1:])
    np.testing.assert_allclose(both[1:], alone, atol=1e-5)


def test_noise_matters(generator, label_map, rng):
    images = [generator(label_map, rng.normal(size=(2, Z)).astype(np.float32)) for _ in range(2)]
    assert np.abs(images[0] - images[1]).mean() > 1e-3


@pytest.mark.parametrize(
    "labels, noise, noise_map, message",
    [
        ((1, 32, 48), (1, Z), None, "multiples of 32. Received: .1, 32, 48."),
        ((1, 32, 64), (1, Z + 1), None, r"`noise` must be \(B, Z\), Z = 3. Received: \(1, 4\)"),
        ((1, 32, 64), (1, 2, Z), None, r"`noise` must be \(B, Z\)"),
        ((1, 32, 64), (1, Z), (1, 32, 64), r"`noise` must be \(B, K, Z\) with `noise_map`"),
        ((1, 32, 64), (1, 2, Z), (1, 64, 32), "`noise_map` must have the shape of `label_map`"),
    ],
)
def test_bad_input(generator, labels, noise, noise_map, message):
    noise_map = None if noise_map is None else tf.zeros(noise_map, tf.int32)
    with pytest.raises(ValueError, match=message):
        generator(tf.zeros(labels, tf.int32), tf.zeros(noise), noise_map)


def test_checkpoints_hold_every_variable(generator, tmp_path):
    assert_checkpointed_wholly(generator, tmp_path)


def test_only_the_border_varies_a_picture_of_one_class(rng):
    """Zeros beyond the border are all that tells one place from another, and they tell much.

    That is where the frame and the grid of fine lines of a barely trained generator come from: at
    64x64 no pixel is out of the border's reach.
    """
    generator = Generator(N, base_channels=1, noise_channels=Z, hidden=8, gain=1.0)
    noise = rng.normal(size=(1, Z)).astype(np.float32)
    image = generator(np.full((1, 512, 576), 2, np.int32), noise, training=True).numpy()[0]
    inner = image[reach() : 512 - reach(), reach() : 576 - reach()]
    assert inner.shape == (68, 132, 3)
    assert np.ptp(inner, axis=(0, 1)).max() < 1e-4
    assert np.ptp(image, axis=(0, 1)).max() > 0.1
