"""Segmenters: what they answer, in which order of classes, at which size, and broken ones."""

import json
import shutil
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.segmenters.label_sets import ADE20K_CLASSES, CITYSCAPES_CLASSES
from oasis_tf.segmenters.segmenter import Segmenter, load_segmenter, save_segmenter

NAMES = ("unlabelled", "red", "green", "blue")


def brightest(shrink=1):
    """A Keras model whose channels are the colours, so that the brightest one wins."""
    pictures = keras.Input((None, None, 3))
    return keras.Model(pictures, keras.layers.AveragePooling2D(shrink)(pictures))


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (2, 4, 6, 3), np.uint8)


@pytest.fixture
def saved(tmp_path):
    save_segmenter(tmp_path, brightest(), ["blue", None, "red"], steps=3)
    return tmp_path


def expected(pictures, table):
    return np.array(table)[pictures.argmax(axis=-1)]


def test_channels_mean_classes(saved, pictures):
    segmenter = load_segmenter(saved)
    table = segmenter.table(NAMES)
    assert table.tolist() == [3, 0, 1]
    np.testing.assert_array_equal(segmenter(pictures, table), expected(pictures, table))
    assert segmenter.table(NAMES, ("red",)).tolist() == [0, 0, 1]
    assert len(segmenter.about["sha256"]) == 64


def test_the_checksum_is_of_all_that_answers_depend_on(saved):
    first = load_segmenter(saved).about["sha256"]
    assert load_segmenter(saved).about["sha256"] == first
    path = saved / "segmenter.json"
    content = json.loads(path.read_text())
    seen = {first}
    for change in (
        {"mean": 0.0},
        {"std": [1, 2, 3]},
        {"class_names": ["red", None, "blue"]},
    ):
        path.write_text(json.dumps({**content, **change}))
        seen.add(load_segmenter(saved).about["sha256"])
    path.write_text(json.dumps({**content, "steps": 4, "data": "elsewhere"}))
    assert load_segmenter(saved).about["sha256"] == first
    save_segmenter(saved, brightest(2), ["blue", None, "red"])
    seen.add(load_segmenter(saved).about["sha256"])
    assert len(seen) == 5


def save_network(path, factor):
    """A SavedModel segmenter; the factor is in its graph, and its variable always the same."""
    module = tf.Module()
    module.one = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))], autograph=False)
    def scale(pictures):
        return {"logits": pictures * factor * module.one}

    tf.saved_model.save(module, str(path / "network"), signatures=scale)
    content = {"model": "network", "class_names": NAMES[1:], "mean": 0, "std": 255}
    (path / "segmenter.json").write_text(json.dumps(content))


def test_the_checksum_of_a_saved_model_is_of_its_graph_and_other_files_too(tmp_path):
    for name, factor in (("one", 1.0), ("other", -1.0)):
        save_network(tmp_path / name, factor)
    network = tmp_path / "one" / "network"
    seen = {load_segmenter(tmp_path / "one").about["sha256"]}
    shutil.copy(tmp_path / "other/network/saved_model.pb", network)
    seen.add(load_segmenter(tmp_path / "one").about["sha256"])
    (network / "assets" / "means.txt").parent.mkdir(exist_ok=True)
    (network / "assets" / "means.txt").write_text("1 2 3")
    seen.add(load_segmenter(tmp_path / "one").about["sha256"])
    assert len(seen) == 3


def test_a_saved_model(tmp_path, pictures):
    brightest().export(tmp_path / "network", verbose=False)
    content = {"model": "network", "class_names": NAMES[1:], "mean": [0, 0, 0], "std": 255}
    (tmp_path / "segmenter.json").write_text(json.dumps(content))
    segmenter = load_segmenter(tmp_path)
    table = segmenter.table(NAMES)
    np.testing.assert_array_equal(segmenter(pictures, table), expected(pictures, [1, 2, 3]))


def test_mean_std_and_resizing(pictures):
    seen = []

    def network(batch):
        seen.append(batch.numpy())
        return tf.argmax(batch[:, ::2, ::2], axis=-1)  # numbers, at half the size

    segmenter = Segmenter(network, NAMES[1:], [1, 2, 3], 2, {})
    answer = segmenter(pictures[:1], segmenter.table(NAMES))
    normalised = (pictures[:1].astype(np.float32) - [1, 2, 3]) / 2
    np.testing.assert_allclose(seen[0], normalised)
    small = normalised[:, ::2, ::2].argmax(axis=-1) + 1
    np.testing.assert_array_equal(answer, small.repeat(2, 1).repeat(2, 2))


def test_logits_of_a_smaller_size(pictures):
    segmenter = Segmenter(brightest(2), NAMES[1:], 0, 1, {})
    answer = segmenter(pictures, segmenter.table(NAMES))
    small = pictures.reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    logits = tf.image.resize(small, (4, 6))
    np.testing.assert_array_equal(answer, np.argmax(logits, axis=-1) + 1)


def test_bad_answers(pictures):
    table = np.array([1, 2], np.int32)
    with pytest.raises(DataError, match="each of its 2 class names. Received: 3 channels"):
        Segmenter(brightest(), ["red", "green"], 0, 1, {})(pictures, table)
    with pytest.raises(DataError, match=r"in \[0, 2\). Received: 0..7"):
        numbers = tf.constant(7 * np.eye(4, 6, dtype=int)[None])
        Segmenter(lambda _: numbers, ["red", "green"], 0, 1, {})(pictures, table)
    with pytest.raises(DataError, match="Received: float32"):
        Segmenter(lambda x: x[..., 0], ["red"], 0, 1, {})(pictures, table)


def test_nothing_in_common(saved):
    with pytest.raises(DataError, match="classes in common .* blue, None, red; .* of sky"):
        load_segmenter(saved).table(("unlabelled", "sky"))


def test_no_segmenter(tmp_path, saved):
    with pytest.raises(DataError, match="train_segmenter writes one. Received: .*missing"):
        load_segmenter(tmp_path / "missing")
    (saved / "model.keras").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"model.keras must be a whole Keras model"):
        load_segmenter(saved)
    (saved / "segmenter.json").write_text('{"model": "model.keras"}')
    with pytest.raises(DataError, match=r"segmenter.json must describe a segmenter"):
        load_segmenter(saved)


def test_presets_of_keras_hub(monkeypatch, pictures):
    """The package and its weights are not needed: a fake with the methods that are called."""

    class Fake:
        preprocessor = types.SimpleNamespace(
            image_converter=lambda x: tf.image.resize(x, (8, 8)), get_config=lambda: {"size": 8}
        )
        weights = (tf.Variable([1.0, 2.0]),)

        @classmethod
        def from_preset(cls, name):
            if "b9" in name:
                raise ValueError("no such preset")
            return cls()

        def get_config(self):
            return {"backbone": "fake"}

        def __call__(self, prepared):
            assert prepared.shape == (1, 8, 8, 3)
            return tf.one_hot(tf.fill((1, 8, 8), 10), 19)  # sky in Cityscapes

    models = types.SimpleNamespace(SegFormerImageSegmenter=Fake)
    hub = types.SimpleNamespace(models=models, __version__="1.0")
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    segmenter = load_segmenter("keras_hub:segformer_b0_cityscapes_1024")
    assert segmenter.names == CITYSCAPES_CLASSES and len(ADE20K_CLASSES) == 150
    table = segmenter.table(("unlabelled", "road", "sky"))
    assert (segmenter(pictures, table) == 2).all()
    before = segmenter.about["sha256"]
    Fake.weights[0].assign([1.0, 3.0])
    assert load_segmenter("keras_hub:segformer_b0_cityscapes_1024").about["sha256"] != before
    with pytest.raises(DataError, match="no such preset"):
        load_segmenter("keras_hub:segformer_b9_ade20k_512")
    with pytest.raises(DataError, match="ade20k or cityscapes"):
        load_segmenter("keras_hub:segformer_b0")
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(DataError, match="pip install keras-hub"):
        load_segmenter("keras_hub:segformer_b0_ade20k_512")
