"""The generator as any engine can run it: gathers and ordinary convolutions of whole pictures.

`Generator` finds the distinct patches of a picture first, which takes operations that other engines
do not have. Here every pixel is computed: the same picture, in more time.
"""

from typing import NamedTuple

import tensorflow as tf

from oasis_tf.models.generator import SCALES


class Conv(NamedTuple):
    """A convolution, zero padding.

    Attributes:
        kernel: float32 (size, size, C, outputs).
        bias: float32 (outputs,), or None.
    """

    kernel: tf.Tensor
    bias: tf.Tensor | None


class LabelConv(NamedTuple):
    """A 3x3 convolution, zero padding, of the channels (noise, one-hot label).

    Attributes:
        label_rows: float32 (9, N + 1, C), what each label adds to the result at each of the nine
            taps. The last row of a tap, of zeros, is that of what lies outside of the picture.
        noise: `Conv` of the noise, with the bias of the whole; None for a layer that sees none,
            whose bias is in the rows.
    """

    label_rows: tf.Tensor
    noise: Conv | None


class PlainSpade(NamedTuple):
    """A fused SPADE: x gamma + beta, both 3x3 convolutions of relu(`shared`)."""

    shared: LabelConv
    gamma: Conv
    beta: Conv


class PlainBlock(NamedTuple):
    """A residual block, named as `GeneratorBlock`; the last two may be None."""

    norm_0: PlainSpade
    conv_0: Conv
    norm_1: PlainSpade
    conv_1: Conv
    norm_s: PlainSpade | None
    conv_s: Conv | None


class PlainWeights(NamedTuple):
    """All that the plain form computes with.

    Attributes:
        first: `LabelConv` at the coarsest resolution.
        blocks: tuple of six `PlainBlock`s, coarsest first.
        last: `Conv` to the three colours.
    """

    first: LabelConv
    blocks: tuple[PlainBlock, ...]
    last: Conv

    @property
    def noise_channels(self):
        """Z; 0 where no layer sees noise."""
        return 0 if self.first.noise is None else self.first.noise.kernel.shape[2]


def plain_weights(generator):
    """The weights of a generator in the form that `draw_plainly` takes.

    Args:
        generator: a `Generator` from `fuse_norms`.

    Returns:
        `PlainWeights` of float32 tensors: constants if called eagerly; inside a graph they are
        computed from the generator's variables.
    """

    def conv(layer):
        bias = None if layer.bias is None else _float(layer.bias)
        return Conv(_float(layer.kernel), bias)

    def label_conv(layer):
        kernel = _float(layer.kernel)  # (3, 3, Z + N, C)
        noise, labels = tf.split(kernel, [layer.noise_channels, layer.num_classes], axis=2)
        rows = tf.reshape(labels, (9, layer.num_classes, layer.channels))
        outside = [[0, 0], [0, 1], [0, 0]]
        if layer.noise_channels:
            return LabelConv(tf.pad(rows, outside), Conv(noise, _float(layer.bias)))
        # The middle one of the nine taps is in the picture always.
        middle = tf.one_hot(4, 9)[:, None, None]
        return LabelConv(tf.pad(rows + middle * _float(layer.bias), outside), None)

    def spade(layer):
        return PlainSpade(
            label_conv(layer.shared),
            Conv(_float(layer.gamma_kernel), 1 + _float(layer.gamma_bias)),
            Conv(_float(layer.beta_kernel), _float(layer.beta_bias)),
        )

    def block(layer):
        narrows = layer.conv_s is not None
        return PlainBlock(
            spade(layer.norm_0),
            conv(layer.conv_0),
            spade(layer.norm_1),
            conv(layer.conv_1),
            spade(layer.norm_s) if narrows else None,
            conv(layer.conv_s) if narrows else None,
        )

    return PlainWeights(
        label_conv(generator.first), tuple(map(block, generator.blocks)), conv(generator.last)
    )


def draw_plainly(weights, engine, label_map, noise, noise_map):
    """Draws pictures with nothing but the operations of an engine.

    Args:
        weights: `PlainWeights`.
        engine: the operations, such as `TensorFlowOperations`, whose methods say what each does.
        label_map: int32 (B, H, W), ids in [0, N); H and W multiples of 32.
        noise: float32 (B, K, Z).
        noise_map: int32 (B, H, W) in [0, K), which of a picture's vectors each pixel takes.

    Returns:
        float32 (B, H, W, 3) in [-1, 1].
    """
    num_classes = weights.first.label_rows.shape[1] - 1
    labels = engine.checked_labels(label_map, num_classes)
    # Not read where no layer sees the noise, for engines have no tensors without channels.
    seen = weights.noise_channels > 0
    vectors = engine.pixel_vectors(noise, noise_map, labels) if seen else None
    x = None
    for scale, block in zip(SCALES, weights.blocks, strict=True):
        conditioning = (
            engine.neighbours(labels, scale, outside=num_classes),
            engine.every(vectors, scale) if seen else None,
        )
        first = x is None
        x = _label_conv(engine, weights.first, *conditioning) if first else engine.upsample2x(x)
        x = _block(engine, block, x, conditioning)
    x = engine.conv(engine.leaky_relu(x), weights.last)
    return engine.pictures(engine.tanh(x), label_map)


def _block(engine, block, x, conditioning):
    def spade(layer, x):
        hidden = engine.relu(_label_conv(engine, layer.shared, *conditioning))
        gamma, beta = engine.conv(hidden, layer.gamma), engine.conv(hidden, layer.beta)
        return engine.add(engine.multiply(x, gamma), beta)

    y = engine.conv(engine.leaky_relu(spade(block.norm_0, x)), block.conv_0)
    y = engine.conv(engine.leaky_relu(spade(block.norm_1, y)), block.conv_1)
    if block.conv_s is not None:
        x = engine.conv(spade(block.norm_s, x), block.conv_s)
    return engine.add(y, x)


def _label_conv(engine, layer, neighbours, vectors):
    # A one-hot convolution is a look-up, tap by tap: no tensor has a channel for each class.
    taps = (engine.look_up(layer.label_rows[tap], ids) for tap, ids in enumerate(neighbours))
    total = next(taps)
    for rows in taps:
        total = engine.add(total, rows)
    total = engine.channels(total)
    return total if layer.noise is None else engine.add(total, engine.conv(vectors, layer.noise))


def _float(tensor):
    return tf.cast(tf.convert_to_tensor(tensor), tf.float32)
