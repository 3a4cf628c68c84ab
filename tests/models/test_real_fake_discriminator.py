"""Shapes, what an answer sees, the look-up of labels and bad input."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.real_fake_discriminator import RealFakeDiscriminator
from tests.contracts import assert_checkpointed_wholly

N = 4


@pytest.fixture(scope="module")
def discriminator():
    return RealFakeDiscriminator(num_classes=N, base_channels=2, gain=1.0)


def test_an_answer_sees_76_pixels(discriminator, rng):
    image = tf.constant(rng.uniform(-1, 1, (1, 160, 192, 3)), tf.float32)
    label_map = tf.constant(rng.integers(0, N, (1, 160, 192)), tf.int32)
    with tf.GradientTape() as tape:
        tape.watch(image)
        answers = discriminator(image, label_map)
        one = answers[0, 5, 6, 0]
    assert answers.shape == (1, 10, 12, 1) and answers.dtype == tf.float32
    seen = np.abs(tape.gradient(one, image).numpy()[0]).sum(-1) > 0
    # The patch of 16 pixels and 30 on every side of it.
    rows, columns = (np.flatnonzero(seen.any(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1]) == (80 - 30, 80 + 16 + 30 - 1)
    assert (columns[0], columns[-1]) == (96 - 30, 96 + 16 + 30 - 1)


def test_the_label_map_enters_as_a_one_by_one_convolution_of_one_hot(discriminator, rng):
    image = rng.uniform(-1, 1, (2, 32, 64, 3)).astype(np.float32)
    label_map = rng.integers(0, N, (2, 32, 64))
    x = np.concatenate([image, np.eye(N)[label_map] @ discriminator.labels.numpy()], axis=-1)
    x = tf.constant(x, tf.float32)
    for block in discriminator.blocks:
        x = block(x)
    kernel, bias = discriminator.last.kernel.numpy()[0, 0], discriminator.last.bias.numpy()
    expected = x.numpy() @ kernel + bias
    np.testing.assert_allclose(discriminator(image, label_map), expected, atol=1e-5)
    other = discriminator(image, (label_map + 1) % N).numpy()
    assert np.abs(other - expected).max() > 1e-3


@pytest.mark.parametrize("size", [(40, 64), (32, 72)])
def test_impossible_sizes(discriminator, size):
    with pytest.raises(ValueError, match="multiples of 16. Received"):
        discriminator(tf.zeros((1, *size, 3)), tf.zeros((1, *size), tf.int32))


def test_checkpoints_hold_every_variable(discriminator, tmp_path):
    assert_checkpointed_wholly(discriminator, tmp_path)
