"""The one activation of both networks."""

import tensorflow as tf

SLOPE = 0.2


@tf.custom_gradient
def leaky_relu(x):
    """x where positive, 0.2 x elsewhere; any float shape.

    The gradient is taken from the result, which has the sign of x and which the next layer keeps
    anyway. TensorFlow's own keeps x as well: one more tensor of a picture's size a convolution.
    """
    y = tf.nn.leaky_relu(x, SLOPE)
    return y, lambda dy: tf.raw_ops.LeakyReluGrad(gradients=dy, features=y, alpha=SLOPE)
