"""Resampling, alone and joined with the 3x3 convolution next to it: fewer operations."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.convolution import convolve, convolve_transposed


def avg_pool2x(x):
    """2x2 averages: float (B, h, w, C) -> (B, h/2, w/2, C)."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


@tf.custom_gradient
def upsample2x(x):
    """Nearest upsampling by two: float (B, h, w, C) -> (B, 2h, 2w, C)."""
    _, height, width, channels = keras.ops.shape(x)
    # Repeating a pixel's channels is repeating the pixel along the row.
    rows = tf.tile(tf.reshape(x, (-1, height, 1, width, channels)), (1, 1, 2, 1, 2))
    return tf.reshape(rows, (-1, 2 * height, 2 * width, channels)), sum_pool2x


def sum_pool2x(gradient):
    """The transpose of `upsample2x`: sums of 2x2, (B, 2h, 2w, C) -> (B, h, w, C)."""
    # Pooling is far quicker than a reduction over two axes.
    return 4 * avg_pool2x(gradient)


def conv_then_avg_pool2x(x, kernel):
    """3x3 convolution, zero padding, then 2x2 averages, as one 4x4 convolution of stride 2.

    The average of four neighbouring outputs reads each input through the sum of the kernel's
    shifts: a 4x4 kernel, the 3x3 one convolved with a 2x2 box, divided by four. 16
    multiplications where there were 36.

    Args:
        x: float (B, h, w, C), h and w even.
        kernel: float (3, 3, C, outputs).

    Returns:
        float (B, h/2, w/2, outputs).
    """
    return convolve(x, _box(kernel) / 4, 2)


def upsample2x_then_conv(x, kernel):
    """Nearest upsampling by two, then a 3x3 convolution, zero padding, as one transposed one.

    The mirror image of `conv_then_avg_pool2x`: each input pixel stands twice on each axis, so it
    reaches the output through the kernel's mirrored taps summed over the 2x2 box. 4
    multiplications an output where there were 9.

    Args:
        x: float (B, h, w, C).
        kernel: float (3, 3, C, outputs).

    Returns:
        float (B, 2h, 2w, outputs).
    """
    mirrored = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    return convolve_transposed(x, _box(mirrored))


def _box(kernel):
    """(3, 3, ...) convolved with a 2x2 box of ones: (4, 4, ...)."""
    kernel = tf.pad(kernel, [[0, 1], [0, 0], [0, 0], [0, 0]]) + tf.pad(
        kernel, [[1, 0], [0, 0], [0, 0], [0, 0]]
    )
    return tf.pad(kernel, [[0, 0], [0, 1], [0, 0], [0, 0]]) + tf.pad(
        kernel, [[0, 0], [1, 0], [0, 0], [0, 0]]
    )
