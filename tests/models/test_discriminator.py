"""Shapes, the one-pass property and bad input."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from tests.contracts import assert_checkpointed_wholly


@pytest.fixture(scope="module")
def discriminator():
    return Discriminator(num_classes=4, base_channels=2, gain=1.0)


def test_shape(discriminator):
    logits = discriminator(tf.zeros((2, 64, 128, 3)))
    assert logits.shape == (2, 64, 128, 5)
    assert logits.dtype == tf.float32


def test_pictures_are_judged_independently(discriminator, rng):
    images = rng.uniform(-1, 1, (2, 64, 128, 3)).astype(np.float32)
    both = discriminator(images)
    np.testing.assert_allclose(both[1:], discriminator(images[1:]), atol=1e-5)


def test_logits_are_linear_in_the_features(discriminator, rng):
    images = rng.uniform(-1, 1, (1, 64, 128, 3)).astype(np.float32)
    features = discriminator.features(images)
    kernel, bias = discriminator.last.kernel.numpy()[0, 0], discriminator.last.bias.numpy()
    expected = features.numpy() @ kernel + bias
    np.testing.assert_allclose(discriminator(images), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(32, 64), (64, 96), (100, 128)])
def test_impossible_sizes(discriminator, size):
    with pytest.raises(ValueError, match="multiples of 64. Received"):
        discriminator(tf.zeros((1, *size, 3)))


def test_checkpoints_hold_every_variable(discriminator, tmp_path):
    assert_checkpointed_wholly(discriminator, tmp_path)
