"""Residual blocks against their plain form, from the same variables."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers import reference
from oasis_tf.layers.discriminator_block import DiscriminatorBlock
from oasis_tf.layers.generator_block import GeneratorBlock
from oasis_tf.models.patch_index import build_patch_index


def leaky(x):
    return tf.nn.leaky_relu(x, 0.2)


def plain(block, x):
    """As the paper draws it: resample, then convolve the shortcut at the large side."""

    def conv(layer, x):
        return tf.nn.conv2d(x, layer.normalized_kernel(), 1, "SAME") + layer.bias

    def upsample2x(x):
        return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)

    def avg_pool2x(x):
        b, h, w, c = x.shape
        return tf.reduce_mean(tf.reshape(x, (b, h // 2, 2, w // 2, 2, c)), [2, 4])

    y = x if block.first else leaky(x)
    if block.direction == "up":
        x, y = upsample2x(x), upsample2x(y)
    if block.conv_s is not None:
        x = conv(block.conv_s, x)
    y = conv(block.conv_2, leaky(conv(block.conv_1, y)))
    return avg_pool2x(x) + avg_pool2x(y) if block.direction == "down" else x + y


@pytest.mark.parametrize("direction", ["down", "up"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("channels", [(3, 5), (4, 4)])
def test_discriminator_block(rng, direction, first, channels):
    block = DiscriminatorBlock(*channels, direction, first=first, gain=1.0)
    for layer in (block.conv_1, block.conv_2, block.conv_s):
        if layer is not None:
            layer.bias.assign(rng.normal(size=channels[1]))
    assert (block.conv_s is None) == (channels[0] == channels[1])
    x = tf.constant(rng.normal(size=(2, 4, 6, channels[0])), tf.float32)
    sources = [x, *(v.value for v in block.trainable_variables)]
    assert_same(lambda: block(x), lambda: plain(block, x), sources)


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("channels", [(6, 4), (4, 4)])
def test_generator_block(rng, channels, upsample):
    num_classes, noise_channels, height, width = 3, 2, 8, 12
    block = GeneratorBlock(
        *channels, num_classes, noise_channels, hidden=5, gain=1.0, spade_gain=1.0
    )
    label_map = tf.constant(rng.integers(0, num_classes, (2, height, width)), tf.int32)
    noise = tf.constant(rng.normal(size=(2, noise_channels)), tf.float32)
    (conditioning,) = build_patch_index(label_map, num_classes, [1]).with_noise(noise)
    dense = reference.conditioning(label_map, noise, num_classes=num_classes)
    size = (height // 2, width // 2) if upsample else (height, width)
    x = tf.constant(rng.normal(size=(2, *size, channels[0])), tf.float32)
    before = [u.numpy() for u in block.non_trainable_variables]

    def fast():
        # A pass in training leaves its statistics and singular vectors behind.
        for variable, value in zip(block.non_trainable_variables, before, strict=True):
            variable.assign(value)
        return block(x, conditioning, upsample=upsample, training=True)

    def plainly():
        for variable, value in zip(block.non_trainable_variables, before, strict=True):
            variable.assign(value)
        return reference.generator_block(block, x, dense, upsample=upsample)

    assert_same(fast, plainly, [x, *(v.value for v in block.trainable_variables)])


def assert_same(fast, plainly, sources):
    """The same values, and the same gradients of a weighted sum of them."""
    results = []
    for function in (fast, plainly):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            y = function()
            weights = tf.reshape(tf.cos(tf.range(tf.size(y), dtype=tf.float32)), y.shape)
            loss = tf.reduce_sum(y * weights)
        results.append([y, *tape.gradient(loss, sources)])
    for actual, expected in zip(*results, strict=True):
        # What is left of a bias' gradient in front of batch norm is rounding on both sides.
        scale = max(np.abs(expected).max(), 1.0)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * scale)


def test_another_direction_is_an_error():
    with pytest.raises(ValueError, match="must be 'down' or 'up'. Received: 'left'"):
        DiscriminatorBlock(3, 4, "left")
