"""The generator's residual block."""

import keras

from oasis_tf.layers.activation import leaky_relu
from oasis_tf.layers.spade import SPADE
from oasis_tf.layers.spectral_conv import SpectralConv2D


class GeneratorBlock(keras.layers.Layer):
    """Two times (SPADE, leaky ReLU, 3x3 convolution) around a shortcut.

    Where the widths differ the shortcut is SPADE and a 1x1 convolution without bias.

    Args:
        inputs: channels in.
        outputs: channels out.
        num_classes: N, unlabelled included.
        noise_channels: Z.
        hidden: width of SPADE's hidden layer.
        gain: of the Xavier-normal initialisers.
    """

    def __init__(self, inputs, outputs, num_classes, noise_channels, *, hidden, gain, **kwargs):
        super().__init__(**kwargs)
        middle = min(inputs, outputs)

        def spade(channels):
            return SPADE(channels, num_classes, noise_channels, hidden=hidden, gain=gain)

        self.norm_0 = spade(inputs)
        self.conv_0 = SpectralConv2D(inputs, middle, 3, gain=gain)
        self.norm_1 = spade(middle)
        self.conv_1 = SpectralConv2D(middle, outputs, 3, gain=gain)
        self.norm_s = self.conv_s = None
        if inputs != outputs:
            self.norm_s = spade(inputs)
            self.conv_s = SpectralConv2D(inputs, outputs, 1, use_bias=False, gain=gain)
        self.built = True

    def call(self, x, layout, noise, patches, training=False):
        """float (B, h, w, inputs) -> float (B, h, w, outputs); the rest as in `SPADE`."""
        y = self.norm_0(x, layout, noise, patches, training=training)
        y = self.conv_0(leaky_relu(y), training=training)
        y = self.norm_1(y, layout, noise, patches, training=training)
        y = self.conv_1(leaky_relu(y), training=training)
        if self.conv_s is not None:
            x = self.norm_s(x, layout, noise, patches, training=training)
            x = self.conv_s(x, training=training)
        return x + y
