"""Spatially-adaptive normalisation, computed on distinct patches."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.batch_norm import BatchNorm
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.modulate import modulate
from oasis_tf.layers.patch_conv import patch_conv
from oasis_tf.layers.region_conv import RegionConv


class SPADE(keras.layers.Layer):
    """out = norm(x) * (1 + gamma) + beta, with gamma and beta from the labels and the noise.

    x may be upsampled on the way; a leaky ReLU may follow.

    gamma and beta at a pixel depend only on its 5x5 neighbourhood of regions, so they are
    computed once per distinct patch (`oasis_tf.models.patch_index`) and gathered.

    Args:
        channels: C, width of x.
        num_classes: N, unlabelled included.
        noise_channels: Z.
        hidden: width of the hidden layer. Defaults to 128, as released.
        activate: whether a leaky ReLU follows. Defaults to False.
        gain: of the Xavier-normal initialisers. Defaults to 0.02, as released.

    In plain form: `oasis_tf.layers.reference.spade`.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization",
    CVPR 2019, Eq. 1; with 3D noise: Sushko et al., IJCV 2022.
    """

    def __init__(
        self,
        channels,
        num_classes,
        noise_channels,
        *,
        hidden=128,
        activate=False,
        gain=0.02,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.activate = activate
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

    def call(self, x, conditioning, upsample=False, training=False):
        """Normalises and modulates.

        Args:
            x: float (B, h, w, C), or (B, h/2, w/2, C) if `upsample`.
            conditioning: `oasis_tf.models.patch_index.Conditioning` of the result's resolution,
                (h, w).
            upsample: x is upsampled by two (nearest). It is normalised before, on the small side.
            training: normalise by the batch's statistics and update the running ones.

        Returns:
            float (B, h, w, C), of x's dtype.
        """
        gamma, beta = self._modulation(conditioning, x.dtype)
        x = self.norm(x, training=training, copies=4 if upsample else 1)
        return modulate(
            x, gamma, beta, conditioning.patches.index, upsample=upsample, activate=self.activate
        )

    def _modulation(self, conditioning, dtype):
        """gamma and beta of each distinct 5x5 patch, two of float (Q, C)."""
        hidden = tf.nn.relu(self.shared(conditioning))  # (P, hidden)
        hidden, *kernels = (
            tf.cast(t, dtype) for t in (hidden, self.gamma_kernel, self.beta_kernel)
        )
        gamma, beta = patch_conv(
            hidden,
            conditioning.patches.patches5,
            tuple(kernels),
            at_most=conditioning.patches.index.shape.num_elements(),
        )
        return gamma + tf.cast(self.gamma_bias, dtype), beta + tf.cast(self.beta_bias, dtype)
