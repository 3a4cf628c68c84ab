"""The activation against its definition."""

import numpy as np
import tensorflow as tf

from oasis_tf.layers.activation import leaky_relu


def test_value_and_gradient():
    x = tf.constant([[-2.0, -1e-30, 0.0, 1e-30, 3.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = leaky_relu(x)
        loss = tf.reduce_sum(y * [[1.0, 2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_allclose(y, [[-0.4, -2e-31, 0.0, 1e-30, 3.0]], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, x), [[0.2, 0.4, 0.6, 4.0, 5.0]], rtol=1e-6)
