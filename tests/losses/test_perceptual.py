"""The perceptual loss against NumPy, and its weights from a file."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.keras_setup import keras
from oasis_tf.losses.perceptual import PerceptualLoss
from oasis_tf.models.vgg import LAYERS, VggFeatures


@pytest.fixture
def small(monkeypatch):
    """In the place of VGG19, whose 20 million weights take seconds: the same names, two channels"""

    def network(include_top, weights):
        assert not include_top and weights is None
        x = images = keras.Input((None, None, 3))
        for i, name in enumerate(LAYERS):
            x = keras.layers.Conv2D(2 + i, 3, padding="same", activation="relu", name=name)(x)
            x = keras.layers.MaxPooling2D(2)(x)
        return keras.Model(images, x)

    monkeypatch.setattr(keras.applications, "VGG19", network)
    return network


def test_weighted_distances_of_five_depths(small, rng, tmp_path):
    keras.utils.set_random_seed(0)
    network = small(False, None)
    network.save_weights(tmp_path / "vgg.weights.h5")
    loss = PerceptualLoss(tmp_path / "vgg.weights.h5")
    fake, real = (tf.constant(rng.uniform(-1, 1, (2, 32, 64, 3)), tf.float32) for _ in range(2))
    features = keras.Model(network.input, [network.get_layer(name).output for name in LAYERS])

    def by_hand(picture):
        # Blue, green, red in [0, 255], without ImageNet's mean colour.
        levels = (picture.numpy()[..., [2, 1, 0]] + 1) / 2 * 255 - [103.939, 116.779, 123.68]
        return [x.numpy() for x in features(tf.constant(levels, tf.float32))]

    expected = sum(
        np.abs(a - b).mean() / 2**k
        for a, b, k in zip(by_hand(fake), by_hand(real), (5, 4, 3, 2, 0), strict=True)
    )
    with tf.GradientTape() as tape:
        tape.watch([fake, real])
        value = loss(fake, real)
    assert float(value) == pytest.approx(float(expected), rel=1e-4)
    to_fake, to_real = tape.gradient(value, [fake, real])
    assert float(tf.norm(to_fake)) > 0 and to_real is None
    assert float(loss(real, real)) == 0


def test_what_is_no_file_of_weights(small, tmp_path):
    with pytest.raises(DataError, match="--vgg_weights must be a file .*Received: .*, no file"):
        VggFeatures(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("no weights")
    with pytest.raises(DataError, match="--vgg_weights must be the weights of .*text.h5"):
        VggFeatures(tmp_path / "text.h5")


@pytest.mark.slow
def test_the_real_architecture(tmp_path, rng):
    keras.utils.set_random_seed(0)
    network = keras.applications.VGG19(include_top=False, weights=None)
    network.save_weights(tmp_path / "vgg.weights.h5")
    features = VggFeatures(tmp_path / "vgg.weights.h5")
    shapes = [x.shape for x in features(tf.zeros((1, 64, 128, 3)))]
    channels = (64, 128, 256, 512, 512)
    assert shapes == [(1, 64 >> i, 128 >> i, c) for i, c in enumerate(channels)]
