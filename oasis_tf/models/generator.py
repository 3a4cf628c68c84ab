"""The generator: label map and 3D noise in, photograph out."""

import itertools

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.activation import leaky_relu
from oasis_tf.layers.generator_block import GeneratorBlock
from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.region_conv import RegionConv
from oasis_tf.layers.rematerialize import rematerialize
from oasis_tf.models.network import Network
from oasis_tf.models.patch_index import build_patch_index

# Widths of the six blocks' inputs and of the last output, in units of the base width.
WIDTHS = (16, 16, 16, 8, 4, 2, 1)
SCALES = (32, 16, 8, 4, 2, 1)


@keras.saving.register_keras_serializable(package="oasis_tf")
class Generator(Network):
    """Six SPADE residual blocks from 1/32 of the picture's size up to its full size.

    Args:
        num_classes: N, unlabelled (class 0) included.
        base_channels: width of the last block; the first is 16 times as wide. Defaults to 64.
        noise_channels: Z; 0 for none. Defaults to 64.
        noise_layers: "all", or "first": only the first convolution sees the noise. Defaults to
            "all", as in the paper.
        hidden: width of SPADE's hidden layers. Defaults to 128.
        gain: of the Xavier-normal initialisers. Defaults to 0.02.
        spade_gain: of those of SPADE's kernels. Defaults to `gain`.
        rematerialize: keep only the inputs of the residual blocks for the gradients of training,
            and run the blocks again in them: less memory, more time. Defaults to False.
        dtype: a Keras policy such as "mixed_bfloat16": its compute dtype is that of the
            convolutions. Variables, statistics, sigma, noise and pictures are float32 always.

    Reference: Sushko et al., IJCV 2022, section 3.3 and appendix.

    >>> generator = Generator(num_classes=3, base_channels=1, noise_channels=4)
    >>> generator(tf.zeros((2, 32, 64), tf.int32), tf.zeros((2, 4))).shape
    TensorShape([2, 32, 64, 3])
    """

    ARGUMENTS = (
        "num_classes",
        "base_channels",
        "noise_channels",
        "noise_layers",
        "hidden",
        "gain",
        "spade_gain",
        "rematerialize",
    )

    def __init__(
        self,
        num_classes,
        *,
        base_channels=64,
        noise_channels=64,
        noise_layers="all",
        hidden=128,
        gain=0.02,
        spade_gain=None,
        rematerialize=False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        widths = [w * base_channels for w in WIDTHS]
        self.num_classes = num_classes
        self.base_channels = base_channels
        self.noise_channels = noise_channels
        self.noise_layers = noise_layers
        self.hidden = hidden
        self.gain = gain
        self.spade_gain = gain if spade_gain is None else spade_gain
        self.rematerialize = rematerialize
        self.first = RegionConv(num_classes, noise_channels, widths[0], gain=gain)
        # As attributes: tf.train.Checkpoint does not see into lists of Keras 3 layers.
        for i, (a, b) in enumerate(itertools.pairwise(widths)):
            block = GeneratorBlock(
                a,
                b,
                num_classes,
                noise_channels if noise_layers == "all" else 0,
                hidden=hidden,
                gain=gain,
                spade_gain=self.spade_gain,
            )
            setattr(self, f"block_{i}", block)
        self.last = keras.layers.Conv2D(
            3, 3, padding="same", kernel_initializer=xavier_normal(gain), dtype="float32"
        )
        self.last.build((None, None, None, widths[-1]))
        self.built = True

    @property
    def blocks(self):
        """The six `GeneratorBlock`s, coarsest first."""
        return [getattr(self, f"block_{i}") for i in range(len(SCALES))]

    def call(self, label_map, noise, noise_map=None, training=False):
        """Generates images.

        Args:
            label_map: int (B, H, W), ids in [0, N); H and W multiples of 32.
            noise: float (B, Z), one vector per image, or (B, K, Z) with `noise_map`.
            noise_map: int (B, H, W) in [0, K), which of an image's K vectors each pixel takes.
            training: batch statistics and one power iteration, both stored; first derivatives
                only, see `oasis_tf.layers.batch_norm.BatchNorm`.

        Returns:
            float32 (B, H, W, 3) in [-1, 1].

        Raises:
            ValueError: sizes or ranks that do not fit.
        """
        return self.generate(*self.index(label_map, noise, noise_map), training=training)

    def index(self, label_map, noise, noise_map=None):
        """Checks the inputs and finds the distinct patches: (`PatchIndex`, noise (B * K, Z)).

        The index depends on `noise` only through its shape, so it may serve several noises.
        """
        self._check(label_map, noise, noise_map)
        patch_index = build_patch_index(
            label_map,
            self.num_classes,
            SCALES,
            noise_map=noise_map,
            noise_vectors=1 if noise_map is None else tf.shape(noise)[1],
        )
        return patch_index, self.vectors(noise)

    def vectors(self, noise):
        """Noise (B, Z) or (B, K, Z) as `generate` takes it: all vectors, (B * K, Z)."""
        # Not -1, which stands for any number where Z is 0.
        count = tf.reduce_prod(tf.shape(noise)[:-1])
        return tf.reshape(noise, (count, self.noise_channels))

    def generate(self, patch_index, noise, training=False):
        """Generates from what `index` returned; the same result as `call`."""
        levels = patch_index.with_noise(noise)
        coarse = levels[0].patches
        # The patch of a pixel is the middle of its 5x5 patch.
        centres = tf.gather(coarse.patches5[:, 4], coarse.index)
        x = tf.gather(self.first(levels[0]), centres)
        x = tf.cast(x, self.compute_dtype)
        again = training and self.rematerialize
        for i, (block, conditioning) in enumerate(zip(self.blocks, levels, strict=True)):
            x = (rematerialize(block) if again else block)(
                x,
                conditioning=conditioning,
                upsample=i > 0,
                training=training,
            )
        return tf.tanh(self.last(leaky_relu(x)))

    def _check(self, label_map, noise, noise_map):
        height, width = label_map.shape[1:]
        if height is None or width is None or height % 32 or width % 32:
            raise ValueError(
                "`label_map` must be (B, H, W) with fixed H and W, multiples of 32. "
                f"Received: {tuple(label_map.shape)}"
            )
        rank = 2 if noise_map is None else 3
        if noise.shape.rank != rank or noise.shape[-1] != self.noise_channels:
            wanted = "(B, Z)" if noise_map is None else "(B, K, Z) with `noise_map`"
            raise ValueError(
                f"`noise` must be {wanted}, Z = {self.noise_channels}. "
                f"Received: {tuple(noise.shape)}"
            )
        if noise_map is not None and tuple(noise_map.shape) != tuple(label_map.shape):
            raise ValueError(
                "`noise_map` must have the shape of `label_map`, "
                f"{tuple(label_map.shape)}. Received: {tuple(noise_map.shape)}"
            )
