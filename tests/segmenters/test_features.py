"""A segmenter's features, against the network itself in NumPy's hands, and bad segmenters."""

import json

import keras
import numpy as np
import pytest

from data_pipeline.errors import DataError
from oasis_tf.segmenters.features import SegmenterFeatures
from oasis_tf.segmenters.network import BOTTLENECK, build_segmentation_network
from oasis_tf.segmenters.segmenter import save_segmenter


def linear(channels=4, factor=16):
    """A network whose pooled layer is linear, so that its means are those of the pixels."""
    pictures = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(channels, factor, factor, name="low")(pictures)
    return keras.Model(pictures, keras.layers.UpSampling2D(factor)(x))


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (3, 32, 48, 3), np.uint8)


def test_against_numpy(tmp_path, pictures):
    keras.utils.set_random_seed(1)
    model = linear()
    save_segmenter(tmp_path, model, list("abcd"), features="low")
    kernel, bias = model.get_layer("low").get_weights()
    found = SegmenterFeatures(tmp_path)(pictures)
    # Every tile of 16x16 has one answer; the features are their mean.
    tiles = (pictures / 127.5 - 1).reshape(3, 2, 16, 3, 16, 3)
    expected = np.einsum("bihjwc,hwcd->bd", tiles, kernel) / 6 + bias
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(SegmenterFeatures(tmp_path)(pictures[1:2]), found[1:2], atol=1e-5)


def test_the_bottleneck_of_a_segmenter(tmp_path, pictures):
    model = build_segmentation_network(3, 2)
    save_segmenter(tmp_path, model, list("abc"), features=BOTTLENECK)
    network = SegmenterFeatures(tmp_path)
    assert network(pictures).shape == (3, 16)  # width 2, eight times
    assert network.about["layer"] == "bottleneck" and len(network.about["sha256"]) == 64
    # It is where the pictures are smallest: 1/16 of their size.
    maps = keras.Model(model.input, model.get_layer(BOTTLENECK).output)(pictures / 127.5 - 1)
    assert maps.shape == (3, 2, 3, 16)
    np.testing.assert_allclose(network(pictures), np.mean(maps, axis=(1, 2)), atol=1e-5)


def test_a_segmenter_of_an_earlier_version(tmp_path, pictures, monkeypatch):
    """The advice of the message makes it work."""
    model = build_segmentation_network(3, 1)
    with monkeypatch.context() as patch:
        # Then, its activations were numbered from the beginning of the command.
        numbered = (f"activation_{i}" if i else "activation" for i in range(18))
        activation = keras.layers.Activation
        patch.setattr(
            keras.layers, "Activation", lambda kind, name: activation(kind, name=next(numbered))
        )
        old = build_segmentation_network(3, 1)
    old.set_weights(model.get_weights())
    save_segmenter(tmp_path, old, list("abc"))
    with pytest.raises(DataError, match='train the segmenter again.*"features": "activation_9"'):
        SegmenterFeatures(tmp_path)
    content = json.loads((tmp_path / "segmenter.json").read_text())
    (tmp_path / "segmenter.json").write_text(json.dumps({**content, "features": "activation_9"}))
    (tmp_path / "new").mkdir()
    save_segmenter(tmp_path / "new", model, list("abc"), features=BOTTLENECK)
    expected = SegmenterFeatures(tmp_path / "new")(pictures)
    np.testing.assert_allclose(SegmenterFeatures(tmp_path)(pictures), expected, atol=1e-5)


def test_other_segmenters(tmp_path):
    with pytest.raises(DataError, match="train_segmenter. Received: keras_hub:segformer"):
        SegmenterFeatures("keras_hub:segformer_b0_ade20k_512")
    with pytest.raises(DataError, match="train_segmenter writes one. Received: .*missing"):
        SegmenterFeatures(tmp_path / "missing")
    save_segmenter(tmp_path, linear(), list("abcd"), features="elsewhere")
    with pytest.raises(DataError, match=r"must be a layer of .*model.keras.* elsewhere"):
        SegmenterFeatures(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"nothing")
    with pytest.raises(DataError, match="must be a whole Keras model"):
        SegmenterFeatures(tmp_path)
    (tmp_path / "model.keras").unlink()
    with pytest.raises(DataError, match="must be a whole Keras model"):
        SegmenterFeatures(tmp_path)
    linear().export(tmp_path / "network", verbose=False)
    content = json.loads((tmp_path / "segmenter.json").read_text())
    (tmp_path / "segmenter.json").write_text(json.dumps({**content, "model": "network"}))
    with pytest.raises(DataError, match="must be a whole Keras model"):
        SegmenterFeatures(tmp_path)
