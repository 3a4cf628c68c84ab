"""What the segmentation discriminator is compared with: one that tells real patches from fake."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.discriminator_block import DiscriminatorBlock
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.rematerialize import rematerialize
from oasis_tf.models.network import Network

# Widths after each of the four downward blocks, in units of the base width: the first ones of
# `oasis_tf.models.discriminator`. An answer sees 76 pixels of the picture a side.
WIDTHS = (2, 2, 4, 4)


@keras.saving.register_keras_serializable(package="oasis_tf")
class RealFakeDiscriminator(Network):
    """Says of every patch of a picture, given its label map, whether it is of a photograph.

    Four of the segmentation discriminator's downward blocks and a linear layer. The label map
    enters beside the picture, as in SPADE's discriminator: one-hot through a 1x1 convolution, which
    is a look-up. So what differs from the segmentation discriminator is the question, not the
    kind of layers.

    Args:
        num_classes: N, unlabelled (class 0) included.
        base_channels: of the label map's look-up; the blocks have two and four times as many.
            Defaults to 64.
        gain: of the Xavier-normal initialisers. Defaults to 0.02.
        rematerialize: as for `Discriminator`.
        dtype: as for `Discriminator`.

    References: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017; Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization",
    CVPR 2019.

    >>> discriminator = RealFakeDiscriminator(num_classes=3, base_channels=1)
    >>> discriminator(tf.zeros((2, 64, 128, 3)), tf.zeros((2, 64, 128), tf.int32)).shape
    TensorShape([2, 4, 8, 1])
    """

    ARGUMENTS = ("num_classes", "base_channels", "gain", "rematerialize")

    def __init__(self, num_classes, *, base_channels=64, gain=0.02, rematerialize=False, **kwargs):
        super().__init__(autocast=False, **kwargs)
        widths = [w * base_channels for w in WIDTHS]
        self.num_classes = num_classes
        self.base_channels = base_channels
        self.gain = gain
        self.rematerialize = rematerialize
        self.labels = self.add_weight(
            name="labels",
            shape=(num_classes, base_channels),
            initializer=xavier_normal(gain),
            dtype="float32",
        )
        # As attributes: tf.train.Checkpoint does not see into lists of Keras 3 layers.
        for i, (a, b) in enumerate(zip([3 + base_channels, *widths[:-1]], widths, strict=True)):
            block = DiscriminatorBlock(a, b, "down", first=i == 0, gain=gain)
            setattr(self, f"down_{i}", block)
        self.last = keras.layers.Conv2D(
            1, 1, kernel_initializer=xavier_normal(gain), dtype="float32"
        )
        self.last.build((None, None, None, widths[-1]))
        self.built = True

    @property
    def blocks(self):
        """The four blocks, finest first."""
        return [getattr(self, f"down_{i}") for i in range(len(WIDTHS))]

    def call(self, image, label_map, training=False):
        """Judges pictures.

        Args:
            image: float (B, H, W, 3) in [-1, 1]; H and W multiples of 16.
            label_map: int (B, H, W), ids in [0, N).
            training: one power iteration, stored.

        Returns:
            float32 (B, H / 16, W / 16, 1), higher for photographs.

        Raises:
            ValueError: a size the network cannot take.
        """
        height, width = image.shape[1:3]
        if height is None or width is None or height % 16 or width % 16:
            raise ValueError(
                "`image` must be (B, H, W, 3) with fixed H and W, multiples of 16. "
                f"Received: {tuple(image.shape)}"
            )
        # Reshaped to what it is: the gradient of a gather alone is no tensor.
        table = tf.reshape(self.labels, (self.num_classes, self.base_channels))
        x = tf.concat([tf.cast(image, tf.float32), tf.gather(table, label_map)], axis=-1)
        x = tf.cast(x, self.compute_dtype)
        for block in self.blocks:
            if training and self.rematerialize:
                block = rematerialize(block)
            x = block(x, training=training)
        return self.last(x)
