"""Winograd's form of a 3x3 convolution, F(2x2, 3x3) of Lavin and Gray, CVPR 2016, section 4.1.

A tile of 4x4 pixels and the kernel are transformed so that each 2x2 tile of the result takes 16
multiplications a channel pair where the plain form takes 36: sixteen matrix products, exact up to
rounding. Its transforms are additions, each a pass over memory in TensorFlow.
"""

import numpy as np
import tensorflow as tf

__all__ = ["winograd_conv3x3"]

_KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)


def winograd_conv3x3(x, kernel):
    """`tf.nn.conv2d(x, kernel, 1, "SAME")`.

    Args:
        x: float32 (B, H, W, C) of known shape; H and W even.
        kernel: float32 (3, 3, C, K).

    Returns:
        float32 (B, H, W, K).
    """
    batch, height, width, inputs = x.shape
    outputs = kernel.shape[-1]
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    kernels = tf.einsum("ai,bj,ijck->abck", _KERNEL, _KERNEL, kernel)
    products = [
        [
            tf.matmul(tf.reshape(tile, (-1, inputs)), kernels[i, j])
            for j, tile in enumerate(_inputs(row, axis=2))
        ]
        for i, row in enumerate(_inputs(x, axis=1))
    ]
    rows = zip(*(_outputs(row) for row in products), strict=True)
    columns = [tf.stack(_outputs(column)) for column in rows]
    tiles = tf.reshape(tf.stack(columns), (2, 2, batch, height // 2, width // 2, outputs))
    return tf.reshape(tf.transpose(tiles, (2, 3, 1, 4, 0, 5)), (batch, height, width, outputs))


def _inputs(x, axis):
    """The four transforms along one axis of tiles that overlap by two."""

    def every_second(start, stop):
        index = [slice(None)] * 4
        index[axis] = slice(start, stop, 2)
        return x[tuple(index)]

    a, b, c, d = (every_second(i, x.shape[axis] - 2 + i) for i in range(4))
    return a - c, b + c, c - b, b - d


def _outputs(products):
    a, b, c, d = products
    return a + b + c, b - c - d
