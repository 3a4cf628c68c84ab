"""The discriminator's residual block."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.activation import leaky_relu
from oasis_tf.layers.resampled_conv import avg_pool2x, upsample2x
from oasis_tf.layers.spectral_conv import SpectralConv2D


class DiscriminatorBlock(keras.layers.Layer):
    """Two 3x3 convolutions around a shortcut, halving or doubling the resolution.

    "down": (leaky ReLU, conv, leaky ReLU, conv, 2x2 average); "up": (leaky ReLU, nearest x2,
    conv, leaky ReLU, conv). The shortcut is resampled the same way, with a 1x1 convolution where
    the widths differ.

    Args:
        inputs: channels in, those of a skip included.
        outputs: channels out.
        direction: "down" or "up".
        first: the block that reads the picture: no leaky ReLU in front. Defaults to False.
        gain: of the Xavier-normal initialisers.

    Raises:
        ValueError: another `direction`.
    """

    def __init__(self, inputs, outputs, direction, *, first=False, gain=0.02, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if direction not in ("down", "up"):
            raise ValueError(f"`direction` must be 'down' or 'up'. Received: {direction!r}")
        self.direction = direction
        self.first = first
        down = direction == "down"
        self.conv_1 = SpectralConv2D(
            inputs, outputs, 3, resample=None if down else "upsample2x", gain=gain
        )
        self.conv_2 = SpectralConv2D(
            outputs, outputs, 3, resample="avg_pool2x" if down else None, gain=gain
        )
        self.conv_s = None
        if inputs != outputs:
            self.conv_s = SpectralConv2D(inputs, outputs, 1, gain=gain)
        self.built = True

    def call(self, x, skip=None, training=False):
        """float (B, h, w, inputs) -> float (B, h/2 or 2h, w/2 or 2w, outputs).

        If there is a `skip`, the block reads its channels and then those of x.
        """
        if skip is not None:
            x = tf.concat([skip, x], axis=-1)
        down = self.direction == "down"
        y = x if self.first else leaky_relu(x)
        y = self.conv_1(y, training=training)
        y = self.conv_2(leaky_relu(y), training=training)
        if down:
            x = avg_pool2x(x)
        # A 1x1 convolution commutes with averaging and with nearest upsampling: it is done on
        # the small side of either.
        if self.conv_s is not None:
            x = self.conv_s(x, training=training)
        return y + (x if down else upsample2x(x))
