"""The perceptual loss that earlier methods need and OASIS does without, for comparison.

Source: Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional
GANs", CVPR 2018: weighted L1 distances between features of five depths of VGG19.
"""

import tensorflow as tf

from oasis_tf.models.vgg import VggFeatures

_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)


class PerceptualLoss:
    """How unlike the photographs of the same label maps generated pictures are.

    Args:
        path: of the weights, see `VggFeatures`.

    Raises:
        DataError: the file is not there or not what it should be.
    """

    def __init__(self, path):
        self._features = VggFeatures(path)

    def __call__(self, fake, real):
        """The sum over the five depths of the mean absolute differences, by their weights.

        Args:
            fake, real: float32 (B, H, W, 3) in [-1, 1]; H and W of 32 or more.

        Returns:
            float32 scalar >= 0; only `fake` has a gradient.
        """
        goals = [tf.stop_gradient(x) for x in self._features(real)]
        return tf.add_n(
            [
                weight * tf.reduce_mean(tf.abs(x - goal))
                for weight, x, goal in zip(_WEIGHTS, self._features(fake), goals, strict=True)
            ]
        )
