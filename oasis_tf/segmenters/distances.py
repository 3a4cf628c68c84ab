"""How different pictures look to a segmenter: LPIPS in kind, without a download.

LPIPS compares features of a network that was trained on photographs, at several depths; so does
this, with a segmenter of `python -m oasis_tf.train_segmenter` and no weights beside it.
"""

import itertools

import numpy as np
import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.segmenters.features import SegmenterFeatures


class SegmenterDistances(SegmenterFeatures):
    """Distances between pictures, pixel by pixel.

    The depths are what goes into each halving of the U-Net, and its bottleneck.

    Args:
        path: as for `SegmenterFeatures`, whose errors and `about` it has.
    """

    def __init__(self, path):
        super().__init__(path)
        model = self.model
        pools = [x for x in model.layers if isinstance(x, keras.layers.MaxPooling2D)]
        outputs = [*(x.input for x in pools), model.get_layer(self.about["layer"]).output]
        network = keras.Model(model.input, outputs)

        def unit_features(pictures):
            maps = network(self.floats(pictures))
            return [tf.math.divide_no_nan(x, tf.norm(x, axis=-1, keepdims=True)) for x in maps]

        spec = tf.TensorSpec((None, None, None, 3), tf.uint8)
        self._unit_features = tf.function(unit_features, autograph=False, input_signature=[spec])

    def pairs(self, pictures):
        """Distances of all pairs.

        Args:
            pictures: uint8 (n, H, W, 3), sides multiples of 16.

        Returns:
            float32 array (H, W) in [0, 1]: the mean over pairs and depths of 1 - cosine of the
            features at each pixel's place. They are behind ReLUs, so no cosine is negative.
        """
        height, width = pictures.shape[1:3]
        total = np.zeros((height, width), np.float32)
        depths = self._unit_features(pictures)
        for features in depths:
            pairs = itertools.combinations(features.numpy(), 2)
            mean = np.mean([_unlike(a, b) for a, b in pairs], axis=0)
            scale = height // mean.shape[0]
            total += mean.repeat(scale, axis=0).repeat(scale, axis=1)
        return total / len(depths)


def _unlike(a, b):
    """1 - cosine of unit vectors (h, w, C); 0 where the ReLUs let nothing through in either."""
    both_silent = ~(a.any(axis=-1) | b.any(axis=-1))
    return np.where(both_silent, 0, np.clip(1 - (a * b).sum(axis=-1), 0, 1))
