"""A 3x3 convolution of noise and one-hot labels, as a table look-up."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.patch_conv import sum_rows


class RegionConv(keras.layers.Layer):
    """3x3 convolution, zero padding, of the channels (noise, one-hot label), per distinct patch.

    A one-hot convolution is a look-up: each kernel tap turns a region into one row of a table,
    (noise vector) x (kernel's noise rows) + (kernel's row of the label), and the output of a
    patch is the sum of nine rows. The label map is never made one-hot.

    Args:
        num_classes: N, unlabelled included.
        noise_channels: Z; 0 for a convolution of the labels alone.
        channels: width of the output.
        gain: of the Xavier-normal initialiser. Defaults to 0.02, as released.
    """

    def __init__(self, num_classes, noise_channels, channels, *, gain=0.02, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.num_classes = num_classes
        self.noise_channels = noise_channels
        self.channels = channels
        # The released models put the noise channels first, then the labels.
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, noise_channels + num_classes, channels),
            initializer=xavier_normal(gain),
        )
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")
        self.built = True

    def call(self, conditioning):
        """Convolves.

        Args:
            conditioning: `oasis_tf.models.patch_index.Conditioning`.

        Returns:
            float32 (P, channels), the output at the centre of each distinct 3x3 patch.
        """
        kernel = tf.reshape(self.kernel, (9, -1, self.channels))
        noise_kernel, label_kernel = tf.split(
            kernel, [self.noise_channels, self.num_classes], axis=1
        )
        table = tf.gather(label_kernel, conditioning.labels, axis=1)  # (9, R, C)
        if self.noise_channels:
            vectors = tf.gather(conditioning.noise, conditioning.vectors)  # (R, Z)
            table += tf.einsum("rz,tzc->trc", vectors, noise_kernel)
        # One more row of zeros per tap: what lies outside of the picture adds nothing.
        table = tf.pad(table, [[0, 0], [0, 1], [0, 0]])
        rows = tf.shape(table)[1]
        ids = conditioning.patches.patches3 + tf.range(9) * rows  # (P, 9) into the table laid flat
        table = tf.reshape(table, (-1, self.channels))
        return sum_rows(table, ids) + self.bias
