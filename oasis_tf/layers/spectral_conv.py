"""Convolution with spectral normalisation in the reparametrised form of the released weights."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.convolution import convolve
from oasis_tf.layers.first_order import first_order
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.rematerialize import once
from oasis_tf.layers.resampled_conv import conv_then_avg_pool2x, upsample2x_then_conv

EPSILON = 1e-12
_INSTEAD = "penalise gradients of pictures or features; their own gradients reach the kernel"
# The convolution, and how many pixels it gives for one.
_CONVOLUTIONS = {
    None: (convolve, 1),
    "avg_pool2x": (conv_then_avg_pool2x, 1 / 4),
    "upsample2x": (upsample2x_then_conv, 4),
}


class SpectralConv2D(keras.layers.Layer):
    """A "same" convolution whose kernel is divided by its largest singular value.

    Keeps the raw `kernel` and the singular vectors `u`, `v`, and divides on the fly, so that
    the gradient passes through sigma = v^T K u, with K the kernel as a matrix
    (kernel height * kernel width * inputs, outputs). Each call in training mode first makes one
    power iteration; in evaluation the stored vectors are used.
    The gradient of the kernel has no derivative: it raises NotImplementedError. That of x has, also
    with respect to the kernel, as penalties on the discriminator's gradients at pictures need it.
    Keras' wrapper writes the divided kernel back instead, which loses that gradient and the
    released checkpoints' raw weights.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel_size: 3 or 1.
        use_bias: Defaults to True.
        resample: "avg_pool2x" averages 2x2 after the convolution, "upsample2x" repeats pixels 2x2
            before it; both in one operation (`resampled_conv`). Defaults to None.
        gain: of the Xavier-normal initialiser. Defaults to 0.02, as released.

    In plain form: `oasis_tf.layers.reference.spectral_norm`.

    Reference: Miyato et al., "Spectral Normalization for GANs", ICLR 2018.
    """

    def __init__(
        self, inputs, outputs, kernel_size, *, use_bias=True, resample=None, gain=0.02, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self._convolve, self._growth = _CONVOLUTIONS[resample]
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

    def normalized_kernel(self):
        """The kernel divided by sigma, float32 (kh, kw, inputs, outputs)."""
        kernel, scale = self._kernel_and_scale(training=False)
        return kernel * scale

    def _kernel_and_scale(self, training):
        """The raw kernel and 1 / sigma; all of their gradient goes through the kernel."""
        kernel = tf.convert_to_tensor(self.kernel)
        if training:
            u, v, sigma = once(lambda: self._iterate(tf.stop_gradient(kernel)))
        else:
            u, v = _column(self.u), _column(self.v)
            sigma = _sigma(kernel, u, v)
        scale = tf.stop_gradient(1 / sigma)
        return _also_through_sigma(kernel, u, v, scale), scale

    def sigma(self):
        """The estimate of the largest singular value, float32 scalar, from the stored vectors."""
        return _sigma(tf.convert_to_tensor(self.kernel), _column(self.u), _column(self.v))

    def _iterate(self, kernel):
        """One power iteration, stored: the new u (outputs, 1) and v (inputs, 1), and sigma."""
        u, v, sigma = _power_iteration(_matrix(kernel), _column(self.u))
        self.store(u, v)
        return u, v, sigma

    def store(self, u, v):
        """Sets the singular vectors: float32 (outputs, 1) and (inputs, 1), of length 1."""
        self.u.assign(tf.reshape(u, [-1]))
        self.v.assign(tf.reshape(v, [-1]))

    def call(self, x, training=False):
        """Convolves: float (B, H, W, inputs) -> (B, H or H/2 or 2H, W likewise, outputs).

        In the precision of x; sigma is float32 always.
        """
        kernel, scale = self._kernel_and_scale(training)
        on_result = self._result_is_smaller(x)
        y = self._convolve(x, tf.cast(kernel if on_result else kernel * scale, x.dtype))
        if on_result:
            y *= tf.cast(scale, x.dtype)
        # Not tf.nn.bias_add: TensorFlow 2.20's graph optimizer tries to fuse that with the sum
        # of a residual block and logs an error at every start; the speed is the same.
        return y if self.bias is None else y + tf.cast(self.bias, x.dtype)

    def _result_is_smaller(self, x):
        """Whether dividing the result by sigma is less work, and memory, than the kernel."""
        pixels = x.shape[:-1].num_elements()
        # Raw kernels are too small for the range of float16.
        if pixels is None or x.dtype == tf.float16:
            return False
        outputs = self.kernel.shape[-1]
        return pixels * self._growth * outputs < self.kernel.shape.num_elements()


@tf.custom_gradient
def _also_through_sigma(kernel, u, v, scale):
    """The kernel K itself; a function of scale * K gets the gradient that sigma = v^T K u adds.

    With W = K / sigma the gradient is dK = (dW - <dW, W> v u^T) / sigma. What comes from above
    is dW / sigma, for the scale is a constant to it, so that dK = dY - <dY, K> / sigma v u^T.
    Written so, it takes three passes over a kernel's memory where automatic differentiation
    takes eight.
    """

    def gradient(upstream):
        along = tf.reduce_sum(upstream * kernel) * scale
        outer = tf.reshape(v * tf.reshape(along * u, (1, -1)), kernel.shape)
        to_kernel = first_order(
            upstream - outer, "SpectralConv2D's gradient of the kernel", _INSTEAD
        )
        return to_kernel, None, None, None

    return tf.identity(kernel), gradient


def refine(model, iterations):
    """Makes power iterations on all `SpectralConv2D`s of a model, beside those of its passes.

    Where kernels change fast one iteration a pass lags behind, and sigma is too small.

    Args:
        model: a Keras model.
        iterations: int >= 1.
    """
    layers = [x for x in model._flatten_layers() if isinstance(x, SpectralConv2D)]
    matrices = [_matrix(tf.convert_to_tensor(layer.kernel)) for layer in layers]

    def body(number, *vectors):
        pairs = zip(matrices, vectors, strict=True)
        return number + 1, *(_power_iteration(matrix, u)[0] for matrix, u in pairs)

    # A loop over values, for replicas cannot exchange variables from within one.
    _, *vectors = tf.while_loop(
        lambda number, *_: number < iterations - 1,
        body,
        [tf.constant(0), *(_column(layer.u) for layer in layers)],
        parallel_iterations=1,
    )
    for layer, matrix, u in zip(layers, matrices, vectors, strict=True):
        layer.store(*_power_iteration(matrix, u)[:2])


def _power_iteration(matrix, u):
    """The new u (outputs, 1) and v (inputs, 1), and sigma."""
    v, _ = _unit(tf.matmul(matrix, u))
    # With u = K^T v / |K^T v|, sigma = v^T K u is the length |K^T v|.
    u, sigma = _unit(tf.matmul(matrix, v, transpose_a=True))
    return u, v, sigma


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
