"""Takes out of a generator what only training needs."""

import tensorflow as tf

from oasis_tf.models.generator import Generator


def fuse_norms(generator, *, dtype="float32"):
    """Copies a generator into a form that computes the same pictures with less.

    Spectral norm: the kernels are divided by sigma once. Batch norm: in evaluation it is
    y = s (x - m) with s = 1 / sqrt(variance + epsilon), and SPADE's y (1 + gamma) + beta has
    gamma and beta linear in the hidden layer; so s and m go into their kernels:

        1 + gamma' = s (1 + gamma),   beta' = beta - m s (1 + gamma).

    What remains has neither singular vectors nor statistics.

    Args:
        generator: a trained `Generator`; stays as it is.
        dtype: a Keras policy, that of the copy's convolutions. Defaults to "float32".

    Returns:
        A `Generator` for evaluation only.
    """
    fused = Generator(
        generator.num_classes,
        base_channels=generator.base_channels,
        noise_channels=generator.noise_channels,
        noise_layers=generator.noise_layers,
        hidden=generator.hidden,
        dtype=dtype,
    )
    fused.set_weights(generator.get_weights())
    for block in fused.blocks:
        for number in ("0", "1", "s"):
            conv, spade = getattr(block, f"conv_{number}"), getattr(block, f"norm_{number}")
            if conv is not None:
                setattr(block, f"conv_{number}", _Convolution(conv, fused.compute_dtype))
                _fuse_norm(spade)
    return fused


class _Convolution:
    """A "same" convolution with the kernel of a `SpectralConv2D` divided by sigma."""

    def __init__(self, conv, dtype):
        self.kernel = tf.Variable(tf.cast(conv.normalized_kernel(), dtype), trainable=False)
        self.bias = conv.bias

    def __call__(self, x, training=False):
        x = tf.nn.conv2d(x, self.kernel, 1, "SAME")
        return x if self.bias is None else x + tf.cast(self.bias, x.dtype)


def _fuse_norm(spade):
    norm = spade.norm
    scale = tf.math.rsqrt(norm.running_variance + norm.epsilon)
    shift = tf.convert_to_tensor(norm.running_mean)
    gamma_kernel, gamma_bias = scale * spade.gamma_kernel, scale * (1 + spade.gamma_bias)
    spade.gamma_kernel.assign(gamma_kernel)
    spade.gamma_bias.assign(gamma_bias - 1)
    spade.beta_kernel.assign(spade.beta_kernel - shift * gamma_kernel)
    spade.beta_bias.assign(spade.beta_bias - shift * gamma_bias)
    spade.norm = _identity


def _identity(x, **_):
    return x
