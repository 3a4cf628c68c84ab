"""The way back from a SavedModel; tests/test_export.py takes the one that is in git."""

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.exporting import exported_model
from oasis_tf.serving.exporting.exported_model import open_exported
from tests.serving.exporting.toy_generator import toy_generator, toy_info

DEMO = Path(__file__).parents[3] / "saved_models" / "demo" / "1"


@pytest.fixture(scope="module")
def model(exported):
    return open_exported(exported)


def draw(generator):
    ids = np.arange(32 * 64, dtype=np.int32).reshape(1, 32, 64) // 100 % 9
    return generator(tf.constant(ids), global_noise([3], 4).noise)


@pytest.mark.slow
def test_the_generator_is_that_of_before(model):
    np.testing.assert_allclose(draw(model.load_generator()), draw(toy_generator(9)), atol=1e-5)


@pytest.mark.slow
def test_what_it_says_of_itself(model, exported):
    info = toy_info(9)
    assert model.legend == info.legend and model.config == info.config
    assert model.scores == {"mIoU": 0.25} and model.title == f"{exported} (SavedModel)"


@pytest.mark.parametrize("spoil", ["config", "image_size", "class_names", None])
def test_a_description_that_is_none(tmp_path, spoil):
    file = tmp_path / "assets.extra" / "model.json"
    file.parent.mkdir()
    content = json.loads((DEMO / "assets.extra/model.json").read_text())
    if spoil == "config":
        content["config"]["widths"] = 3
    elif spoil == "image_size":
        content["config"]["image_size"] = [64, 65]
    elif spoil:
        del content[spoil]
    if spoil:
        file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=f"{file} must describe the model"):
        open_exported(tmp_path)


@pytest.mark.slow
def test_other_widths_than_the_weights_have(model):
    config = dataclasses.replace(model.config, generator_channels=2)
    with pytest.raises(DataError, match="other weights than its configuration says"):
        dataclasses.replace(model, config=config).load_generator()


@pytest.mark.slow
def test_weights_in_another_order(model, monkeypatch):
    order, calls = exported_model._variables, []

    def swapped(function):
        calls.append(function)
        found = order(function)
        if len(calls) == 1:  # the fresh generator's; the kernels of the first gamma and beta
            assert found[4].shape == found[6].shape
            found[4], found[6] = found[6], found[4]
        return found

    monkeypatch.setattr(exported_model, "_variables", swapped)
    with pytest.raises(DataError, match="Received: pictures that differ by"):
        model.load_generator()


@pytest.mark.slow
def test_an_export_of_before(model, toy_versions):
    with pytest.raises(DataError, match="must have the signature generate"):
        dataclasses.replace(model, path=toy_versions / "1").load_generator()


@pytest.mark.parametrize(
    "error, reason", [(KeyError("__inference_5"), "__inference_5"), (AssertionError(), "Assertion")]
)
def test_damage_of_any_kind(monkeypatch, error, reason):
    """A flipped bit of a graph's name ends in a KeyError; not all errors have a message."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(tf.saved_model, "load", fail)
    with pytest.raises(DataError, match=f"must be a whole SavedModel. Received: .*{reason}"):
        open_exported(DEMO).load_generator()
    # A graph that can be read, and fails when it is run.
    loaded = SimpleNamespace(signatures={"generate": fail})
    monkeypatch.setattr(tf.saved_model, "load", lambda path: loaded)
    monkeypatch.setattr(exported_model, "_take_weights", lambda *_: None)
    with pytest.raises(DataError, match=f"must be a whole SavedModel. Received: .*{reason}"):
        open_exported(DEMO).load_generator()


@pytest.mark.slow
def test_a_damaged_model(model, exported, tmp_path):
    path = tmp_path / "1"
    shutil.copytree(exported, path)
    (path / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(DataError, match="must be a whole SavedModel"):
        dataclasses.replace(model, path=path).load_generator()
