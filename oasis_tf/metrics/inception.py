"""The Inception network of FID, with the weights that all FIDs of papers are computed with.

Szegedy et al., CVPR 2016, as TensorFlow released it in December 2015 and pytorch-fid ported it.
It is not the Inception of keras.applications: average pooling leaves out the border, the last
block pools by maximum, and the weights are others. Batch normalisation is folded into the
convolutions.
"""

import numpy as np
import tensorflow as tf

from oasis_tf.checkpoints.name_map import to_kernel
from oasis_tf.keras_setup import keras
from oasis_tf.metrics import frozen

_SIZE = 299
_EPSILON = 1e-3

# (name, output channels, kernel, stride, padding)
_STEM_1 = (
    ("Conv2d_1a_3x3", 32, (3, 3), 2, "valid"),
    ("Conv2d_2a_3x3", 32, (3, 3), 1, "valid"),
    ("Conv2d_2b_3x3", 64, (3, 3), 1, "same"),
)
_STEM_2 = (
    ("Conv2d_3b_1x1", 80, (1, 1), 1, "valid"),
    ("Conv2d_4a_3x3", 192, (3, 3), 1, "valid"),
)


class InceptionFeatures:
    """Pictures to the 2048 features of the last average pooling.

    Args:
        path: `pt_inception-2015-12-05-6726825d.pth`.

    Raises:
        MissingWeights: the file is not what it should be.
    """

    def __init__(self, path):
        self._network, convs = _build()
        _load(convs, path)
        spec = tf.TensorSpec((None, _SIZE, _SIZE, 3), tf.float32)
        self._features = tf.function(self._network, autograph=False, input_signature=[spec])

    def __call__(self, images):
        """float32 (B, 2048) of uint8 images (B, H, W, 3) or of float ones in [0, 1]."""
        return self._features(_prepare(images)).numpy()


def _prepare(images):
    images = tf.convert_to_tensor(images)
    scale = 255.0 if images.dtype == tf.uint8 else 1.0
    images = tf.cast(images, tf.float32) / scale
    return 2 * tf.image.resize(images, (_SIZE, _SIZE), "bilinear") - 1


def _build():
    """The network, and its convolutions by the names of their tensors."""
    convs = {}

    def conv(x, name, channels, kernel, stride=1, padding="same"):
        convs[name] = keras.layers.Conv2D(
            channels, kernel, stride, padding, activation="relu", name=name
        )
        return convs[name](x)

    def chain(x, block, *steps):
        for branch, channels, kernel, *rest in steps:
            x = conv(x, f"{block}.{branch}", channels, kernel, *rest)
        return x

    def average(x):
        # With padding "same" the border is left out of the mean.
        return keras.layers.AveragePooling2D(3, 1, "same")(x)

    def pool(x, name=None):
        return keras.layers.MaxPooling2D(3, 2, name=name)(x)

    def join(name, *branches):
        return keras.layers.Concatenate(name=name)(branches)

    def block_a(x, name, pool_channels):
        return join(
            name,
            chain(x, name, ("branch1x1", 64, 1)),
            chain(x, name, ("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)),
            chain(
                x,
                name,
                ("branch3x3dbl_1", 64, 1),
                ("branch3x3dbl_2", 96, 3),
                ("branch3x3dbl_3", 96, 3),
            ),
            chain(average(x), name, ("branch_pool", pool_channels, 1)),
        )

    def block_b(x, name):
        return join(
            name,
            chain(x, name, ("branch3x3", 384, 3, 2, "valid")),
            chain(
                x,
                name,
                ("branch3x3dbl_1", 64, 1),
                ("branch3x3dbl_2", 96, 3),
                ("branch3x3dbl_3", 96, 3, 2, "valid"),
            ),
            pool(x),
        )

    def block_c(x, name, width):
        row, column = (1, 7), (7, 1)
        return join(
            name,
            chain(x, name, ("branch1x1", 192, 1)),
            chain(
                x,
                name,
                ("branch7x7_1", width, 1),
                ("branch7x7_2", width, row),
                ("branch7x7_3", 192, column),
            ),
            chain(
                x,
                name,
                ("branch7x7dbl_1", width, 1),
                ("branch7x7dbl_2", width, column),
                ("branch7x7dbl_3", width, row),
                ("branch7x7dbl_4", width, column),
                ("branch7x7dbl_5", 192, row),
            ),
            chain(average(x), name, ("branch_pool", 192, 1)),
        )

    def block_d(x, name):
        return join(
            name,
            chain(x, name, ("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2, "valid")),
            chain(
                x,
                name,
                ("branch7x7x3_1", 192, 1),
                ("branch7x7x3_2", 192, (1, 7)),
                ("branch7x7x3_3", 192, (7, 1)),
                ("branch7x7x3_4", 192, 3, 2, "valid"),
            ),
            pool(x),
        )

    def block_e(x, name, pool):
        split = chain(x, name, ("branch3x3_1", 384, 1))
        double = chain(x, name, ("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3))
        return join(
            name,
            chain(x, name, ("branch1x1", 320, 1)),
            chain(split, name, ("branch3x3_2a", 384, (1, 3))),
            chain(split, name, ("branch3x3_2b", 384, (3, 1))),
            chain(double, name, ("branch3x3dbl_3a", 384, (1, 3))),
            chain(double, name, ("branch3x3dbl_3b", 384, (3, 1))),
            chain(pool(x), name, ("branch_pool", 192, 1)),
        )

    x = pictures = keras.Input((_SIZE, _SIZE, 3))
    for step in _STEM_1:
        x = conv(x, *step)
    x = pool(x, "pool_1")
    for step in _STEM_2:
        x = conv(x, *step)
    x = pool(x, "pool_2")
    for name, pool_channels in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = block_a(x, name, pool_channels)
    x = block_b(x, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = block_c(x, name, width)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", average)
    x = block_e(x, "Mixed_7c", keras.layers.MaxPooling2D(3, 1, "same"))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(pictures, x), convs


def _load(convs, path):
    shapes = {}
    for name, layer in convs.items():
        shapes[f"{name}.conv.weight"] = frozen.stored_shape(layer)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = (layer.filters,)
    state = frozen.read(path, shapes)
    for name, layer in convs.items():
        bn = f"{name}.bn."
        scale = state[bn + "weight"] / np.sqrt(state[bn + "running_var"] + _EPSILON)
        kernel = to_kernel(state[f"{name}.conv.weight"]) * scale
        layer.set_weights([kernel, state[bn + "bias"] - state[bn + "running_mean"] * scale])
