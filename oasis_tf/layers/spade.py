"""Spatially-adaptive normalisation, computed on distinct patches."""

import keras
import tensorflow as tf

from oasis_tf.layers.batch_norm import BatchNorm
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.region_conv import RegionConv


class SPADE(keras.layers.Layer):
    """out = norm(x) * (1 + gamma) + beta, with gamma and beta from the labels and the noise.

    gamma and beta at a pixel depend only on its 5x5 neighbourhood of regions, so they are
    computed once per distinct patch (`oasis_tf.layout`) and gathered.

    Args:
        channels: C, width of x.
        num_classes: N, unlabelled included.
        noise_channels: Z.
        hidden: width of the hidden layer. Defaults to 128, as released.
        gain: of the Xavier-normal initialisers. Defaults to 0.02, as released.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization",
    CVPR 2019, Eq. 1; with 3D noise: Sushko et al., IJCV 2022.
    """

    def __init__(self, channels, num_classes, noise_channels, *, hidden=128, gain=0.02, **kwargs):
        super().__init__(**kwargs)
        self.norm = BatchNorm(channels)
        self.shared = RegionConv(num_classes, noise_channels, hidden, gain=gain)
        for name in ("gamma", "beta"):
            kernel = self.add_weight(
                name=f"{name}_kernel",
                shape=(3, 3, hidden, channels),
                initializer=xavier_normal(gain),
            )
            bias = self.add_weight(name=f"{name}_bias", shape=(channels,), initializer="zeros")
            setattr(self, f"{name}_kernel", kernel)
            setattr(self, f"{name}_bias", bias)
        self.built = True

    def call(self, x, layout, noise, patches, training=False):
        """Normalises and modulates.

        Args:
            x: float (B, h, w, C).
            layout: `oasis_tf.layout.Layout`.
            noise: float (B * K, Z).
            patches: the `oasis_tf.layout.Patches` of x's resolution.
            training: normalise by the batch's statistics and update the running ones.

        Returns:
            float (B, h, w, C).
        """
        gamma, beta = self._modulation(layout, noise, patches)
        x = self.norm(x, training=training)
        return x * (1 + tf.gather(gamma, patches.index)) + tf.gather(beta, patches.index)

    def _modulation(self, layout, noise, patches):
        """gamma and beta of each distinct 5x5 patch, two of float (Q, C)."""
        hidden = tf.nn.relu(self.shared(layout, noise, patches.patches3))  # (P, hidden)
        # The convolution pads the hidden layer itself with zeros, not what it is made from.
        hidden = tf.pad(hidden, [[0, 1], [0, 0]])
        width, channels = hidden.shape[-1], self.gamma_bias.shape[0]
        if 2 * channels < width:
            # Narrow: project each 3x3 patch for each tap, then sum nine short rows.
            kernel = tf.concat([self.gamma_kernel, self.beta_kernel], axis=-1)
            kernel = tf.transpose(tf.reshape(kernel, (9, width, 2 * channels)), (1, 0, 2))
            table = tf.matmul(hidden, tf.reshape(kernel, (width, 18 * channels)))
            ids = patches.patches5 * 9 + tf.range(9)
            rows = tf.gather(tf.reshape(table, (-1, 2 * channels)), ids)  # (Q, 9, 2 C)
            gamma, beta = tf.split(tf.reduce_sum(rows, axis=1), 2, axis=-1)
            return gamma + self.gamma_bias, beta + self.beta_bias
        # Wide: gather the nine hidden rows of each 5x5 patch, then project them.
        taps = tf.reshape(tf.gather(hidden, patches.patches5), (-1, 9 * width))

        def project(kernel, bias):
            return tf.matmul(taps, tf.reshape(kernel, (9 * width, channels))) + bias

        return (
            project(self.gamma_kernel, self.gamma_bias),
            project(self.beta_kernel, self.beta_bias),
        )
