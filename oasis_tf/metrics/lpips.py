"""LPIPS v0.1: how different two pictures look to a classification network.

Source: Zhang et al., CVPR 2018: unit-length features of five depths, squared differences weighted
per channel, averaged over the picture and summed over the depths. Backbones: VGG16 and AlexNet
in torchvision's layout.
"""

import numpy as np
import tensorflow as tf

from oasis_tf.checkpoints.name_map import to_kernel
from oasis_tf.keras_setup import keras
from oasis_tf.metrics import frozen

_SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
_SCALE = np.array([0.458, 0.448, 0.450], np.float32)
_EPSILON = 1e-10
# A convolution is (torchvision's index, channels, kernel, stride, padding), "pool" a max pooling;
# the output of each convolution with a star is one of the five depths.
_VGG = (
    (0, 64, 3, 1, 1),
    (2, 64, 3, 1, 1, "*"),
    "pool",
    (5, 128, 3, 1, 1),
    (7, 128, 3, 1, 1, "*"),
    "pool",
    (10, 256, 3, 1, 1),
    (12, 256, 3, 1, 1),
    (14, 256, 3, 1, 1, "*"),
    "pool",
    (17, 512, 3, 1, 1),
    (19, 512, 3, 1, 1),
    (21, 512, 3, 1, 1, "*"),
    "pool",
    (24, 512, 3, 1, 1),
    (26, 512, 3, 1, 1),
    (28, 512, 3, 1, 1, "*"),
)
_ALEX = (
    (0, 64, 11, 4, 2, "*"),
    "pool",
    (3, 192, 5, 1, 2, "*"),
    "pool",
    (6, 384, 3, 1, 1, "*"),
    (8, 256, 3, 1, 1, "*"),
    (10, 256, 3, 1, 1, "*"),
)
_NETWORKS = {"vgg": (_VGG, 2), "alex": (_ALEX, 3)}  # with the size of the poolings, stride 2
_SMALLEST = {"vgg": 16, "alex": 31}


class Lpips:
    """LPIPS distances.

    Args:
        net: "vgg" or "alex".
        backbone: path of the backbone's weights, torchvision's file.
        linear: path of the linear weights, the file of LPIPS v0.1.

    Raises:
        MissingWeights: a file is not what it should be.
    """

    def __init__(self, net, backbone, linear):
        self._smallest = _SMALLEST[net]
        self._network, convs = _build(*_NETWORKS[net])
        _load_backbone(convs, backbone)
        widths = [output.shape[-1] for output in self._network.outputs]
        names = [f"lin{i}.model.1.weight" for i in range(len(widths))]
        shapes = {name: (1, width, 1, 1) for name, width in zip(names, widths, strict=True)}
        state = frozen.read(linear, shapes)
        self._weights = [state[name].reshape(-1) for name in names]
        self._graph = tf.function(
            self._unit_features,
            autograph=False,
            input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)],
        )

    def features(self, images):
        """What distances are computed from: for many pairs of few pictures, once a picture.

        Args:
            images: (B, H, W, 3), uint8, or float in [-1, 1].

        Returns:
            list of five tensors (B, h, w, C).

        Raises:
            ValueError: pictures that vanish before the last depth.
        """
        if min(images.shape[1:3]) < self._smallest:
            raise ValueError(
                f"pictures must have {self._smallest} pixels a side or more. "
                f"Received: {tuple(images.shape)}"
            )
        floats = tf.cast(images, tf.float32)
        return self._graph(floats / 127.5 - 1 if images.dtype == np.uint8 else floats)

    def between(self, a, b):
        """float32 array (B,): distances of `features` to `features`; one may be of one picture."""
        total = 0.0
        for x, y, weights in zip(a, b, self._weights, strict=True):
            per_channel = tf.reduce_mean(tf.math.squared_difference(x, y), axis=(1, 2))
            total += tf.linalg.matvec(per_channel, weights)
        return total.numpy()

    def __call__(self, x, y):
        """float32 array (B,): distances of the pictures `x` to `y`, as `features` takes them."""
        return self.between(self.features(x), self.features(y))

    def _unit_features(self, images):
        outputs = self._network((images - _SHIFT) / _SCALE)
        return [x / (tf.norm(x, axis=-1, keepdims=True) + _EPSILON) for x in outputs]


def _build(steps, pool):
    x = images = keras.Input((None, None, 3))
    convs, depths = {}, []
    for step in steps:
        if step == "pool":
            x = keras.layers.MaxPooling2D(pool, 2)(x)
            continue
        index, channels, kernel, stride, padding, *star = step
        x = keras.layers.ZeroPadding2D(padding)(x)
        convs[index] = keras.layers.Conv2D(channels, kernel, stride, activation="relu")
        x = convs[index](x)
        if star:
            depths.append(x)
    return keras.Model(images, depths), convs


def _load_backbone(convs, path):
    shapes = {}
    for index, layer in convs.items():
        shapes[f"features.{index}.weight"] = frozen.stored_shape(layer)
        shapes[f"features.{index}.bias"] = (layer.filters,)
    state = frozen.read(path, shapes)
    for index, layer in convs.items():
        kernel = to_kernel(state[f"features.{index}.weight"])
        layer.set_weights([kernel, state[f"features.{index}.bias"]])
