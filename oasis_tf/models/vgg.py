"""VGG19, trained on ImageNet by others, for the perceptual loss."""

from pathlib import Path

import tensorflow as tf

from data_pipeline.errors import DataError, first_line
from oasis_tf.keras_setup import keras

# After the first convolution of each resolution.
LAYERS = tuple(f"block{i}_conv1" for i in range(1, 6))
# Of ImageNet, in the order blue, green, red.
_MEANS = (103.939, 116.779, 123.68)


class VggFeatures:
    """Features of five depths of VGG19.

    Args:
        path: of the weights of `keras.applications.VGG19` without the top:
            `vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5`, which Keras keeps in
            ~/.keras/models, or what `save_weights` writes.

    Raises:
        DataError: the file is not there or not what it should be.

    Reference: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015.
    """

    def __init__(self, path):
        vgg = keras.applications.VGG19(include_top=False, weights=None)
        if not Path(path).is_file():
            raise DataError(
                f"--vgg_weights must be a file of weights of VGG19. Received: {path}, no file"
            )
        try:
            vgg.load_weights(path)
        # h5py and Keras meet other files with OSError, ValueError, KeyError and others.
        except Exception as error:
            raise DataError(
                "--vgg_weights must be the weights of keras.applications.VGG19 without the top. "
                f"Received: {path} ({first_line(error)})"
            ) from error
        self._network = keras.Model(vgg.input, [vgg.get_layer(name).output for name in LAYERS])
        self._network.trainable = False

    def __call__(self, image):
        """The features.

        Args:
            image: float32 (B, H, W, 3) in [-1, 1], red first.

        Returns:
            list of float32 (B, h, w, C), finest first.
        """
        levels = (image[..., ::-1] + 1) * 127.5 - tf.constant(_MEANS)
        return self._network(levels, training=False)
