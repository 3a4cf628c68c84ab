"""The generator's residual block."""

from oasis_tf.keras_setup import keras
from oasis_tf.layers.resampled_conv import upsample2x
from oasis_tf.layers.spade import SPADE
from oasis_tf.layers.spectral_conv import SpectralConv2D


class GeneratorBlock(keras.layers.Layer):
    """Two times (SPADE, leaky ReLU, 3x3 convolution) around a shortcut, after an upsampling.

    Where the widths differ the shortcut is SPADE and a 1x1 convolution without bias.

    In plain form: `oasis_tf.layers.reference.generator_block`.

    Args:
        inputs: channels in.
        outputs: channels out.
        num_classes: N, unlabelled included.
        noise_channels: Z.
        hidden: width of SPADE's hidden layer.
        gain: of the Xavier-normal initialisers.
        spade_gain: of those of SPADE's kernels.
    """

    def __init__(
        self,
        inputs,
        outputs,
        num_classes,
        noise_channels,
        *,
        hidden,
        gain,
        spade_gain,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        middle = min(inputs, outputs)

        def spade(channels, activate):
            return SPADE(
                channels,
                num_classes,
                noise_channels,
                hidden=hidden,
                activate=activate,
                gain=spade_gain,
            )

        self.norm_0 = spade(inputs, activate=True)
        self.conv_0 = SpectralConv2D(inputs, middle, 3, gain=gain)
        self.norm_1 = spade(middle, activate=True)
        self.conv_1 = SpectralConv2D(middle, outputs, 3, gain=gain)
        self.norm_s = self.conv_s = None
        if inputs != outputs:
            self.norm_s = spade(inputs, activate=False)
            self.conv_s = SpectralConv2D(inputs, outputs, 1, use_bias=False, gain=gain)
        self.built = True

    def call(self, x, conditioning, upsample=False, training=False):
        """float (B, h, w, inputs) -> (B, h, w, outputs), or (B, 2h, 2w, outputs) if `upsample`.

        The rest as in `SPADE`.
        """
        y = self.norm_0(x, conditioning, upsample=upsample, training=training)
        y = self.norm_1(self.conv_0(y, training=training), conditioning, training=training)
        y = self.conv_1(y, training=training)
        if self.conv_s is None:
            return y + (upsample2x(x) if upsample else x)
        x = self.norm_s(x, conditioning, upsample=upsample, training=training)
        return y + self.conv_s(x, training=training)
