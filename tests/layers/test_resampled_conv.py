"""The joined convolutions against their two steps, values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers.resampled_conv import conv_then_avg_pool2x, upsample2x, upsample2x_then_conv


def avg_pool2x_plainly(x, kernel):
    return tf.nn.avg_pool2d(tf.nn.conv2d(x, kernel, 1, "SAME"), 2, 2, "VALID")


def upsample2x_plainly(x, kernel):
    x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
    return tf.nn.conv2d(x, kernel, 1, "SAME")


@pytest.mark.parametrize(
    "joined, plain",
    [(conv_then_avg_pool2x, avg_pool2x_plainly), (upsample2x_then_conv, upsample2x_plainly)],
)
@pytest.mark.parametrize("size", [(2, 4), (6, 4)])
def test_joined_equals_plain(rng, joined, plain, size):
    x = tf.constant(rng.normal(size=(2, *size, 3)), tf.float32)
    kernel = tf.constant(rng.normal(size=(3, 3, 3, 5)), tf.float32)
    results = []
    for function in (joined, plain):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = function(x, kernel)
            weights = tf.reshape(tf.cos(tf.range(tf.size(y), dtype=tf.float32)), y.shape)
            loss = tf.reduce_sum(y * weights)
        results.append([y, *tape.gradient(loss, [x, kernel])])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4)


def test_double(rng):
    x = tf.constant(rng.normal(size=(2, 3, 4, 5)), tf.float32)
    weights = tf.constant(rng.normal(size=(2, 6, 8, 5)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = upsample2x(x)
        loss = tf.reduce_sum(y * weights)
    np.testing.assert_array_equal(y, np.repeat(np.repeat(x, 2, 1), 2, 2))
    expected = weights.numpy().reshape(2, 3, 2, 4, 2, 5).sum((2, 4))
    np.testing.assert_allclose(tape.gradient(loss, x), expected, rtol=1e-5, atol=1e-6)


def test_static_shapes_survive_an_unknown_batch():
    @tf.function(input_signature=[tf.TensorSpec((None, 4, 6, 2))])
    def shapes(x):
        kernel = tf.zeros((3, 3, 2, 5))
        assert conv_then_avg_pool2x(x, kernel).shape.as_list() == [None, 2, 3, 5]
        assert upsample2x(x).shape.as_list() == [None, 8, 12, 2]
        assert upsample2x_then_conv(x, kernel).shape.as_list() == [None, 8, 12, 5]
        return x

    shapes(tf.zeros((1, 4, 6, 2)))
