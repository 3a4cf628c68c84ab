"""Features of pictures without a download: what a segmenter of the user's own photographs sees.

The segmenter of `python -m oasis_tf.train_segmenter` is a U-Net; its features are the means over
the picture of its bottleneck's channels. Its `segmenter.json` names that layer in "features".
"""

import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.keras_setup import keras
from oasis_tf.segmenters.segmenter import FILE_NAME, PRESET, open_model, read_description


class SegmenterFeatures:
    """Pictures to the pooled bottleneck of a segmenter.

    Args:
        path: directory that `python -m oasis_tf.train_segmenter` has written.

    Attributes:
        about: {"name", "layer", "sha256"}, for the result.
        model: the Keras model.

    Raises:
        DataError: another segmenter, or a damaged one.
    """

    def __init__(self, path):
        if str(path).startswith(PRESET):
            raise DataError(
                f"features take a segmenter of python -m oasis_tf.train_segmenter. Received: {path}"
            )
        description = read_description(path)
        layer = description.features
        if layer is None:
            raise DataError(
                f"{path}/{FILE_NAME} must name the layer of its features, as python -m "
                "oasis_tf.train_segmenter writes it: train the segmenter again, or, if it is of an "
                'earlier version of that command, add "features": "activation_9". '
                'Received: no "features"'
            )
        model = open_model(description.model, _load_keras)
        try:
            output = model.get_layer(layer).output
        except ValueError:
            output = None
        if output is None or len(output.shape) != 4:
            raise DataError(
                f'"features" of {path}/{FILE_NAME} must be a layer of {description.model} that '
                f"gives (B, h, w, C). Received: {layer}"
            )
        self.about = {"name": str(path), "layer": layer, "sha256": description.checksum}
        self.model = model
        self._description = description
        network = keras.Model(model.input, keras.layers.GlobalAveragePooling2D()(output))

        def features(pictures):
            return network(self.floats(pictures))

        spec = tf.TensorSpec((None, None, None, 3), tf.uint8)
        self._features = tf.function(features, autograph=False, input_signature=[spec])

    def floats(self, pictures):
        """uint8 pictures as the network takes them."""
        return (tf.cast(pictures, tf.float32) - self._description.mean) / self._description.std

    def __call__(self, pictures):
        """float32 (B, C) of uint8 pictures (B, H, W, 3), sides multiples of 16."""
        return self._features(pictures).numpy()


def _load_keras(path):
    return keras.models.load_model(path, compile=False)
