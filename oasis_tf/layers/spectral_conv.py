"""Convolution with spectral normalisation in the reparametrised form of the released weights."""

import keras
import tensorflow as tf

from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.resampled_conv import conv_then_halve, double_then_conv

EPSILON = 1e-12
_CONVOLUTIONS = {
    None: lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"),
    "halve": conv_then_halve,
    "double": double_then_conv,
}


class SpectralConv2D(keras.layers.Layer):
    """A "same" convolution whose kernel is divided by its largest singular value.

    Keeps the raw `kernel` and the singular vectors `u`, `v`, and divides on the fly, so that
    the gradient passes through sigma = v^T K u, with K the kernel as a matrix
    (kernel height * kernel width * inputs, outputs). Each call in training mode first makes one
    power iteration; in evaluation the stored vectors are used.
    Keras' wrapper writes the divided kernel back instead, which loses that gradient and the
    released checkpoints' raw weights.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel_size: 3 or 1.
        use_bias: Defaults to True.
        resample: "halve" averages 2x2 after the convolution, "double" repeats pixels 2x2 before
            it; both in one operation (`resampled_conv`). Defaults to None.
        gain: of the Xavier-normal initialiser. Defaults to 0.02, as released.

    Reference: Miyato et al., "Spectral Normalization for GANs", ICLR 2018.
    """

    def __init__(
        self, inputs, outputs, kernel_size, *, use_bias=True, resample=None, gain=0.02, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self._convolve = _CONVOLUTIONS[resample]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(kernel_size, kernel_size, inputs, outputs),
            initializer=xavier_normal(gain),
        )
        self.bias = None
        if use_bias:
            self.bias = self.add_weight(name="bias", shape=(outputs,), initializer="zeros")
        # Every replica computes the same vectors from the same kernel.
        options = dict(trainable=False, aggregation="only_first_replica")
        self.u = self.add_weight(name="u", shape=(outputs,), initializer="random_normal", **options)
        self.v = self.add_weight(
            name="v", shape=(kernel_size**2 * inputs,), initializer="zeros", **options
        )
        # One iteration at once: with two random vectors sigma is near 0 or negative, and a
        # network that is evaluated before its first training step would overflow.
        self._iterate(tf.convert_to_tensor(self.kernel))
        self.built = True

    def normalized_kernel(self, training=False):
        """The kernel divided by sigma, float32 (kh, kw, inputs, outputs)."""
        kernel = tf.convert_to_tensor(self.kernel)
        if training:
            return _divide(kernel, *self._iterate(tf.stop_gradient(kernel)))
        u, v = _column(self.u), _column(self.v)
        return _divide(kernel, u, v, _sigma(kernel, u, v))

    def sigma(self):
        """The estimate of the largest singular value, float32 scalar, from the stored vectors."""
        return _sigma(tf.convert_to_tensor(self.kernel), _column(self.u), _column(self.v))

    def _iterate(self, kernel):
        """One power iteration, stored: the new u (outputs, 1) and v (inputs, 1), and sigma."""
        matrix = _matrix(kernel)
        v, _ = _unit(tf.matmul(matrix, _column(self.u)))
        # With u = K^T v / |K^T v|, sigma = v^T K u is the length |K^T v|.
        u, sigma = _unit(tf.matmul(matrix, v, transpose_a=True))
        self.u.assign(tf.reshape(u, [-1]))
        self.v.assign(tf.reshape(v, [-1]))
        return u, v, sigma

    def call(self, x, training=False):
        """Convolves: float (B, H, W, inputs) -> (B, H or H/2 or 2H, W likewise, outputs).

        In the precision of x; sigma is float32 always.
        """
        kernel = tf.cast(self.normalized_kernel(training), x.dtype)
        x = self._convolve(x, kernel)
        # Not tf.nn.bias_add: TensorFlow 2.20's graph optimizer tries to fuse that with the sum
        # of a residual block and logs an error at every start; the speed is the same.
        return x if self.bias is None else x + tf.cast(self.bias, x.dtype)


@tf.custom_gradient
def _divide(kernel, u, v, sigma):
    """W = K / sigma, with the gradient through sigma = v^T K u.

    dK = (dW - <dW, W> v u^T) / sigma. Written so, it takes three passes over a kernel's memory
    where automatic differentiation takes eight.
    """
    scale = 1 / sigma
    normalized = kernel * scale

    def gradient(upstream):
        along = tf.reduce_sum(upstream * normalized)
        outer = tf.reshape(v * tf.reshape(along * u, (1, -1)), kernel.shape)
        return (upstream - outer) * scale, None, None, None

    return normalized, gradient


def _sigma(kernel, u, v):
    return tf.reduce_sum(v * tf.matmul(_matrix(kernel), u))


def _matrix(kernel):
    return tf.reshape(kernel, (-1, kernel.shape[-1]))


def _column(vector):
    return tf.reshape(tf.convert_to_tensor(vector), (-1, 1))


def _unit(vector):
    """The vector over its length, and the length; EPSILON keeps both finite."""
    square = tf.reduce_sum(tf.square(vector))
    inverse = tf.math.rsqrt(tf.maximum(square, EPSILON**2))
    return vector * inverse, square * inverse
