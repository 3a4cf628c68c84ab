"""Convolutions and their gradients against TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers.convolution import convolve, convolve_transposed, filter_gradient

# Kernel size, stride and channels; the last is too narrow for products at stride 1.
CASES = [(3, 1, 256), (4, 2, 5), (3, 1, 7)]


def draw(rng, *shape, dtype=tf.float32):
    return tf.cast(tf.constant(rng.normal(size=shape), tf.float32), dtype)


def values_and_gradients(function, x, kernel, weights):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = function(x, kernel)
        loss = tf.reduce_sum(y * weights)
    return [y, *tape.gradient(loss, [x, kernel])]


@pytest.mark.parametrize("size, stride, channels", CASES)
def test_convolve(rng, size, stride, channels):
    x = draw(rng, 2, 2 * stride, 3 * stride, channels)
    kernel, weights = draw(rng, size, size, channels, 6), draw(rng, 2, 2, 3, 6)
    actual = values_and_gradients(lambda x, k: convolve(x, k, stride), x, kernel, weights)
    expected = values_and_gradients(
        lambda x, k: tf.nn.conv2d(x, k, stride, "SAME"), x, kernel, weights
    )
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)


def test_convolve_transposed(rng):
    x, kernel, weights = draw(rng, 2, 2, 3, 6), draw(rng, 4, 4, 5, 6), draw(rng, 2, 4, 6, 5)
    actual = values_and_gradients(convolve_transposed, x, kernel, weights)
    expected = values_and_gradients(
        lambda x, k: tf.nn.conv2d_transpose(x, k, (2, 4, 6, 5), 2, "SAME"), x, kernel, weights
    )
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("size, stride", [(3, 1), (4, 2)])
def test_filter_gradient_against_its_definition(rng, size, stride):
    x = rng.normal(size=(2, 4 * stride, 3 * stride, 5))
    dy = rng.normal(size=(2, 4, 3, 6))
    padded = np.pad(x, [(0, 0), (1, 2), (1, 2), (0, 0)])
    expected = np.zeros((size, size, 5, 6))
    for i in range(size):
        for j in range(size):
            seen = padded[:, i::stride, j::stride][:, :4, :3]
            expected[i, j] = np.einsum("bhwc,bhwo->co", seen, dy)
    actual = filter_gradient(tf.constant(x, tf.float32), tf.constant(dy, tf.float32), stride)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_precisions(rng, dtype):
    x, kernel = draw(rng, 1, 4, 6, 3, dtype=dtype), draw(rng, 4, 4, 3, 2, dtype=dtype)
    weights = draw(rng, 1, 2, 3, 2, dtype=dtype)
    results = values_and_gradients(lambda x, k: convolve(x, k, 2), x, kernel, weights)
    exact = values_and_gradients(
        lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"),
        *(tf.cast(t, tf.float32) for t in (x, kernel, weights)),
    )
    for result, expected in zip(results, exact, strict=True):
        assert result.dtype == dtype
        error = np.abs(tf.cast(result, tf.float32) - expected).max()
        assert error < 0.01 * np.abs(expected).max()


def test_a_batch_of_unknown_size(rng):
    kernel = draw(rng, 4, 4, 3, 5)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 6, 3))])
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            loss = tf.reduce_sum(convolve(x, kernel, 2) ** 2)
        return tape.gradient(loss, kernel)

    x = draw(rng, 2, 4, 6, 3)
    _, _, expected = values_and_gradients(
        lambda x, k: convolve(x, k, 2), x, kernel, 2 * convolve(x, kernel, 2)
    )
    np.testing.assert_allclose(gradient(x), expected, rtol=1e-4, atol=1e-4)
