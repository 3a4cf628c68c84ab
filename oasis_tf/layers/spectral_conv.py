"""Convolution with spectral normalisation in the reparametrised form of the released weights."""

import keras
import tensorflow as tf

from oasis_tf.layers.initializers import xavier_normal

EPSILON = 1e-12


class SpectralConv2D(keras.layers.Layer):
    """A stride-1 "same" convolution whose kernel is divided by its largest singular value.

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
        gain: of the Xavier-normal initialiser. Defaults to 0.02, as released.

    Reference: Miyato et al., "Spectral Normalization for GANs", ICLR 2018.
    """

    def __init__(self, inputs, outputs, kernel_size, *, use_bias=True, gain=0.02, **kwargs):
        super().__init__(**kwargs)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(kernel_size, kernel_size, inputs, outputs),
            initializer=xavier_normal(gain),
        )
        self.bias = None
        if use_bias:
            self.bias = self.add_weight(name="bias", shape=(outputs,), initializer="zeros")
        self.u = self._add_singular_vector("u", outputs)
        self.v = self._add_singular_vector("v", kernel_size**2 * inputs)
        self.built = True

    def _add_singular_vector(self, name, size):
        vector = self.add_weight(
            name=name,
            shape=(size,),
            initializer="random_normal",
            trainable=False,
            # Every replica computes the same vector from the same kernel.
            aggregation="only_first_replica",
        )
        vector.assign(_unit(vector.value))
        return vector

    def normalized_kernel(self, training=False):
        """The kernel divided by sigma, float32 (kh, kw, inputs, outputs)."""
        kernel = tf.convert_to_tensor(self.kernel)
        return kernel / self._sigma(kernel, training)

    def sigma(self):
        """The estimate of the largest singular value, float32 scalar, from the stored vectors."""
        return self._sigma(tf.convert_to_tensor(self.kernel), training=False)

    def _sigma(self, kernel, training):
        matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
        u, v = tf.convert_to_tensor(self.u), tf.convert_to_tensor(self.v)
        if training:
            fixed = tf.stop_gradient(matrix)
            v = _unit(tf.linalg.matvec(fixed, u))
            u = _unit(tf.linalg.matvec(fixed, v, transpose_a=True))
            self.u.assign(u)
            self.v.assign(v)
        return tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)

    def call(self, x, training=False):
        """Convolves: float (B, H, W, inputs) -> float (B, H, W, outputs)."""
        kernel = tf.cast(self.normalized_kernel(training), x.dtype)
        x = tf.nn.conv2d(x, kernel, 1, "SAME")
        # Not tf.nn.bias_add: TensorFlow 2.20's graph optimizer tries to fuse that with the sum
        # of a residual block and logs an error at every start; the speed is the same.
        return x if self.bias is None else x + tf.cast(self.bias, x.dtype)


def _unit(vector):
    return vector / tf.maximum(tf.norm(vector), EPSILON)
