import numpy as np
import tensorflow as tf

from benchmarks.winograd import winograd_conv3x3


def test_value_and_gradients(rng):
    x = tf.constant(rng.standard_normal((2, 6, 10, 3)), tf.float32)
    kernel = tf.constant(rng.standard_normal((3, 3, 3, 5)), tf.float32)
    weights = tf.constant(rng.standard_normal((2, 6, 10, 5)), tf.float32)
    found = []
    for function in (winograd_conv3x3, lambda x, k: tf.nn.conv2d(x, k, 1, "SAME")):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            y = function(x, kernel)
            loss = tf.reduce_sum(y * weights)
        found.append((y, *tape.gradient(loss, (x, kernel))))
    for actual, expected in zip(*found, strict=True):
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
