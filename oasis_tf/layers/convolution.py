"""Convolutions whose filter gradients are matrix products where that is quicker."""

import tensorflow as tf

from oasis_tf.execution import by_xla, on_accelerator
from oasis_tf.keras_setup import keras

# From so many channels on, matrix products beat TensorFlow's own gradient at stride 1; at stride
# 2 they do with any.
_MANY_CHANNELS = 256


def convolve(x, kernel, stride=1):
    """A convolution, zero padding "SAME".

    Args:
        x: float (B, h, w, C), h and w multiples of the stride.
        kernel: float (size, size, C, outputs): 1x1 or 3x3 at stride 1, 4x4 at stride 2.
        stride: 1 or 2.

    Returns:
        float (B, h / stride, w / stride, outputs).
    """

    def forward(x, kernel):
        return tf.nn.conv2d(x, kernel, stride, "SAME")

    @tf.custom_gradient
    def with_products(x, kernel):
        def gradient(dy):
            to_x = tf.nn.conv2d_transpose(dy, kernel, tf.shape(x), stride, "SAME")
            return to_x, filter_gradient(x, dy, stride)

        return forward(x, kernel), gradient

    return (with_products if _products_pay(kernel, stride) else forward)(x, kernel)


def convolve_transposed(x, kernel):
    """The transpose of `convolve` at stride 2.

    Args:
        x: float (B, h, w, C).
        kernel: float (4, 4, outputs, C).

    Returns:
        float (B, 2h, 2w, outputs).
    """
    batch, height, width, _ = keras.ops.shape(x)
    size = (batch, 2 * height, 2 * width, kernel.shape[2])

    def forward(x, kernel):
        return tf.nn.conv2d_transpose(x, kernel, size, 2, "SAME")

    @tf.custom_gradient
    def with_products(x, kernel):
        def gradient(dy):
            return tf.nn.conv2d(dy, kernel, 2, "SAME"), filter_gradient(dy, x, 2)

        return forward(x, kernel), gradient

    return (with_products if _products_pay(kernel, 2) else forward)(x, kernel)


def filter_gradient(x, dy, stride):
    """The gradient of `convolve` with respect to its kernel: a matrix product for each tap.

    A tap multiplies the pixels of dy with those of x at a fixed distance. In a padded picture
    that is a fixed distance in memory too, so the pixels a tap needs are a run of rows, which
    TensorFlow slices without copying them.

    Args:
        x: float (B, stride * h, stride * w, C).
        dy: float (B, h, w, outputs), of x's dtype.
        stride: 1 for a 3x3 kernel, 2 for a 4x4 one.

    Returns:
        float (3, 3, C, outputs) or (4, 4, C, outputs), of x's dtype.
    """
    size, reach = (3, 2) if stride == 1 else (4, 1)
    batch, height, width, outputs = keras.ops.shape(dy)
    channels = x.shape[-1]
    # Delay these copies until the backward pass; otherwise TensorFlow makes one of them in the
    # forward pass and keeps it, and peak memory rises.
    with tf.control_dependencies([x, dy]):
        # Pixels that lie `stride` apart become neighbours, in stride^2 small pictures.
        x = tf.space_to_batch(x, [stride, stride], [[1, 1], [1, 1]])
        x = tf.reshape(x, (-1, channels))
        dy = tf.pad(dy, [[0, 0], [0, reach], [0, reach], [0, 0]])
    phase, row = batch * (height + reach) * (width + reach), width + reach
    # The last rows of dy are padding.
    count = phase - reach * (row + 1)
    dy = tf.slice(tf.reshape(dy, (-1, outputs)), [0, 0], [count, outputs])
    taps = []
    for i in range(size):
        for j in range(size):
            start = (i % stride * stride + j % stride) * phase + i // stride * row + j // stride
            run = tf.slice(x, [start, 0], [count, channels])
            taps.append(tf.matmul(run, dy, transpose_a=True))
    return tf.reshape(tf.stack(taps), (size, size, channels, outputs))


def _products_pay(kernel, stride):
    # A GPU has cuDNN's gradients, which are faster; XLA compiles a product for each tap for seconds
    # and wins nothing; on a CPU float16 has no fast matrix product.
    if on_accelerator() or by_xla() or kernel.dtype == tf.float16:
        return False
    size, _, channels, _ = kernel.shape
    return stride == 2 or (size == 3 and channels >= _MANY_CHANNELS)
