"""Upsampling, modulation and activation of a normalised tensor, in few passes over memory."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.activation import SLOPE
from oasis_tf.layers.resampled_conv import sum_pool2x


def modulate(x, gamma, beta, index, *, upsample=False, activate=False):
    """x * (1 + gamma) + beta, with gamma and beta looked up per pixel; leaky ReLU if `activate`.

    What SPADE holds of a picture's size is what costs memory. Kept for the gradient are x, the
    tables and the result, which the next layer keeps anyway; the rest is made again.

    Args:
        x: float (B, h, w, C).
        gamma: float (Q, C), of x's dtype.
        beta: float (Q, C), of x's dtype.
        index: int32 (B, h, w), or (B, 2h, 2w) if `upsample`: rows of gamma and beta.
        upsample: x is repeated to twice the size first (nearest upsampling).
        activate: a leaky ReLU follows.

    Returns:
        float (B, h, w, C), or (B, 2h, 2w, C).
    """
    times = 2 if upsample else 1
    _, height, width, channels = keras.ops.shape(x)
    # A pixel's copies are axes of their own, which broadcasting fills without writing them out.
    copies = (-1, height, times, width, times, channels)
    flat = (-1, times * height, times * width, channels)
    index = tf.reshape(index, [-1])

    def look_up(table):
        return tf.reshape(tf.gather(table, index), copies)

    @tf.custom_gradient
    def compute(x, gamma, beta):
        scale = 1 + gamma
        x6 = tf.reshape(x, (-1, height, 1, width, 1, channels))
        y = x6 * look_up(scale) + look_up(beta)
        if activate:
            y = tf.nn.leaky_relu(y, SLOPE)

        def gradient(upstream):
            dy = tf.reshape(upstream, copies)
            if activate:
                dy = tf.raw_ops.LeakyReluGrad(gradients=dy, features=y, alpha=SLOPE)

            def to_table(gradient):
                # In float32: a patch may collect thousands of pixels.
                rows = tf.cast(tf.reshape(gradient, (-1, channels)), tf.float32)
                sums = tf.math.unsorted_segment_sum(rows, index, tf.shape(gamma)[0])
                return tf.cast(sums, gamma.dtype)

            # Delay this table until the backward pass; otherwise TensorFlow makes it in the forward
            # pass and keeps it, and peak memory rises.
            with tf.control_dependencies([dy]):
                scales = look_up(scale)
            to_x = tf.reshape(dy * scales, flat)
            if upsample:
                to_x = sum_pool2x(to_x)
            return to_x, to_table(dy * x6), to_table(dy)

        return tf.reshape(y, flat), gradient

    return compute(x, gamma, beta)
