"""The discriminator: a segmentation network with one class more, "fake"."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.discriminator_block import DiscriminatorBlock
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.rematerialize import rematerialize
from oasis_tf.models.network import Network

# Widths after each of the six downward blocks, in units of the base width.
WIDTHS = (2, 2, 4, 4, 8, 8)


@keras.saving.register_keras_serializable(package="oasis_tf")
class Discriminator(Network):
    """A U-Net of six downward and six upward residual blocks.

    Args:
        num_classes: N, unlabelled (class 0) included.
        base_channels: width of the features before the last layer. Defaults to 64.
        gain: of the Xavier-normal initialisers. Defaults to 0.02.
        rematerialize: keep only the inputs of the residual blocks for the gradients of training,
            and run the blocks again in them: less memory, more time. Defaults to False.
        dtype: a Keras policy such as "mixed_bfloat16": its compute dtype is that of the
            convolutions. Variables, sigma and logits are float32 always.

    Reference: Sushko et al., IJCV 2022, section 3.1 and appendix.

    >>> discriminator = Discriminator(num_classes=3, base_channels=1)
    >>> discriminator(tf.zeros((2, 64, 128, 3))).shape
    TensorShape([2, 64, 128, 4])
    """

    ARGUMENTS = ("num_classes", "base_channels", "gain", "rematerialize")

    def __init__(self, num_classes, *, base_channels=64, gain=0.02, rematerialize=False, **kwargs):
        super().__init__(autocast=False, **kwargs)
        widths = [w * base_channels for w in WIDTHS]
        self.num_classes = num_classes
        self.base_channels = base_channels
        self.gain = gain
        self.rematerialize = rematerialize
        # As attributes: tf.train.Checkpoint does not see into lists of Keras 3 layers.
        for i, (a, b) in enumerate(zip([3, *widths[:-1]], widths, strict=True)):
            block = DiscriminatorBlock(a, b, "down", first=i == 0, gain=gain)
            setattr(self, f"down_{i}", block)
        # Going up, all blocks but the first read the features below and the skip beside them.
        outputs = [*widths[-2::-1], base_channels]
        inputs = [widths[-1], *(2 * w for w in outputs[:-1])]
        for i, (a, b) in enumerate(zip(inputs, outputs, strict=True)):
            setattr(self, f"up_{i}", DiscriminatorBlock(a, b, "up", gain=gain))
        self.last = keras.layers.Conv2D(
            num_classes + 1, 1, kernel_initializer=xavier_normal(gain), dtype="float32"
        )
        self.last.build((None, None, None, base_channels))
        self.built = True

    @property
    def down(self):
        """The six downward blocks, finest first."""
        return [getattr(self, f"down_{i}") for i in range(len(WIDTHS))]

    @property
    def up(self):
        """The six upward blocks, coarsest first."""
        return [getattr(self, f"up_{i}") for i in range(len(WIDTHS))]

    @property
    def blocks(self):
        """All of them, in the order of the computation."""
        return [*self.down, *self.up]

    @property
    def head(self):
        """The last, linear layer: (kernel (base_channels, N + 1), bias (N + 1,)), float32."""
        kernel, bias = (tf.convert_to_tensor(v) for v in (self.last.kernel, self.last.bias))
        return kernel[0, 0], bias

    def call(self, image, training=False):
        """Segments pictures.

        Args:
            image: float (B, H, W, 3) in [-1, 1]; H and W multiples of 64.
            training: one power iteration, stored.

        Returns:
            float32 (B, H, W, N + 1) logits; channel 0 is "fake", class c is channel c + 1.

        Raises:
            ValueError: a size the network cannot take.
        """
        return self.last(self.features(image, training=training))

    def features(self, image, training=False):
        """float (B, H, W, base_channels): the input of the last, linear layer."""
        height, width = image.shape[1:3]
        if height is None or width is None or height % 64 or width % 64:
            raise ValueError(
                "`image` must be (B, H, W, 3) with fixed H and W, multiples of 64. "
                f"Received: {tuple(image.shape)}"
            )

        def run(block, *inputs):
            if training and self.rematerialize:
                block = rematerialize(block)
            return block(*inputs, training=training)

        skips = []
        x = tf.cast(image, self.compute_dtype)
        for block in self.down:
            x = run(block, x)
            skips.append(x)
        first, *others = self.up
        x = run(first, x)
        for block, skip in zip(others, skips[-2::-1], strict=True):
            x = run(block, x, skip)
        return x
