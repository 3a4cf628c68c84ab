"""The one activation of both networks."""

import tensorflow as tf

SLOPE = 0.2


def leaky_relu(x):
    """x where positive, 0.2 x elsewhere; any float shape."""
    return tf.nn.leaky_relu(x, SLOPE)
