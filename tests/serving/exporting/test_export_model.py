import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from data_pipeline.records.png import encode_label_map
from oasis_tf.images import to_uint8
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.exporting import export_model as export_module
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.warmup import read_warmup_requests
from tests.serving.exporting.toy_generator import toy_generator, toy_info

CLASSES = 9

# Run where nothing of this project can be imported.
STRANGER = """
import json, sys
import numpy as np, tensorflow as tf
# An installed project would be found even here: whoever imports it fails.
sys.modules.update(dict.fromkeys(("oasis_tf", "data_pipeline", "keras")))
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
model = tf.saved_model.load(sys.argv[1], tags=["serve"])
given = np.load("given.npz")
image = model.signatures["serving_default"](
    label_map=tf.constant(given["label_map"]), seed=tf.constant(given["seed"])
)["image"]
png = model.signatures["synthesize_png"](
    label_map_bytes=tf.constant([open("label_map.png", "rb").read()]), seed=tf.constant([4])
)["image_bytes"]
np.savez("drawn.npz", image=image, png=tf.io.decode_png(png[0]))
"""


@pytest.fixture(scope="module")
def generator():
    return toy_generator(CLASSES)


@pytest.mark.slow
def test_loads_in_a_process_that_knows_nothing_of_the_project(generator, exported, tmp_path):
    rng = np.random.default_rng(0)
    label_map = rng.integers(0, CLASSES, (2, 4, 6)).repeat(16, 1).repeat(16, 2).astype(np.int32)
    np.savez(tmp_path / "given.npz", label_map=label_map, seed=np.int32([3, 4]))
    (tmp_path / "label_map.png").write_bytes(encode_label_map(label_map[1]))
    (tmp_path / "stranger.py").write_text(STRANGER)
    subprocess.run([sys.executable, "-I", "stranger.py", str(exported)], cwd=tmp_path, check=True)
    drawn = np.load(tmp_path / "drawn.npz")
    right = generator(tf.constant(label_map), global_noise([3, 4], 4).noise)
    np.testing.assert_allclose(drawn["image"], right, atol=2e-5)
    assert np.abs(drawn["png"].astype(int) - to_uint8(right[1])).max() <= 1


@pytest.mark.slow
def test_compiled_by_xla_it_draws_the_same(generator, tmp_path):
    path = export_model(generator, toy_info(CLASSES), tmp_path / "toy", jit_compile=True)
    model = tf.saved_model.load(str(path))
    graph = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    functions = graph.meta_graphs[0].graph_def.library.function
    assert any(f.attr["_XlaMustCompile"].b for f in functions)
    rng = np.random.default_rng(0)
    for size in (4, 6), (2, 2):
        label_map = rng.integers(0, CLASSES, (2, *size)).repeat(16, 1).repeat(16, 2)
        label_map = label_map.astype(np.int32)
        drawn = model.signatures["serving_default"](
            label_map=tf.constant(label_map), seed=tf.constant([3, 4])
        )
        right = generator(tf.constant(label_map), global_noise([3, 4], 4).noise)
        np.testing.assert_allclose(drawn["image"], right, atol=2e-5)
    files = tf.constant([encode_label_map(label_map[0])])
    png = model.signatures["synthesize_png"](label_map_bytes=files, seed=tf.constant([3]))
    drawn = tf.io.decode_png(png["image_bytes"][0]).numpy()
    assert np.abs(drawn.astype(int) - to_uint8(right[0])).max() <= 1


def test_it_is_a_layer_of_keras(generator, exported):
    layer = keras.layers.TFSMLayer(str(exported))
    label_map = np.ones((2, 32, 64), np.int32)
    label_map[:, 10:] = 3
    right = generator(tf.constant(label_map), global_noise([3, 4], 4).noise)
    inputs = {"label_map": label_map, "seed": np.int32([3, 4])}
    np.testing.assert_allclose(layer(inputs), right, atol=2e-5)
    maps, seeds = keras.Input((32, 64), dtype="int32"), keras.Input((), dtype="int32")
    model = keras.Model([maps, seeds], layer({"label_map": maps, "seed": seeds}))
    np.testing.assert_allclose(model([label_map, inputs["seed"]]), right, atol=2e-5)


def test_no_training_state(exported, generator):
    names = [name for name, _ in tf.train.list_variables(str(exported / "variables/variables"))]
    weights = [name for name in names if name.startswith("weights/")]
    assert len(weights) == len(generator.trainable_variables)
    assert {name.split("/")[0] for name in names} == {"weights", "_CHECKPOINTABLE_OBJECT_GRAPH"}


def test_what_lies_beside(exported):
    content = json.loads((exported / "assets.extra/model.json").read_text())
    assert (
        content["num_classes"] == len(content["class_names"]) == len(content["palette"]) == CLASSES
    )
    assert content["image_size"] == [64, 128] and content["size_multiple"] == 32
    assert content["noise_channels"] == 4 and content["config"]["spade_channels"] == 6
    card = (exported / "MODEL_CARD.md").read_text()
    for words in ("# painter", "| mIoU | 0.25 |", "Intended use", "Limits", "Licence", "64x128"):
        assert words in card


def test_there_is_a_warm_up_request_for_every_signature(exported):
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((exported / "saved_model.pb").read_bytes())
    definitions = dict(saved_model.meta_graphs[0].signature_def)
    definitions.pop("__saved_model_init_op")
    requests = dict(read_warmup_requests(exported))
    assert requests.keys() == definitions.keys()
    for name, inputs in requests.items():
        given = {alias: tf.as_dtype(array.dtype) for alias, array in inputs.items()}
        declared = {a: tf.as_dtype(i.dtype) for a, i in definitions[name].inputs.items()}
        assert given == declared


@pytest.mark.slow
def test_saved_model_cli(exported):
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "show", "--all"]
    shown = subprocess.run(
        [*command, "--dir", str(exported)], capture_output=True, text=True, check=True
    ).stdout
    for lines in (
        "inputs['label_map'] tensor_info:\n        dtype: DT_INT32\n        shape: (-1, -1, -1)",
        "outputs['image'] tensor_info:\n        dtype: DT_FLOAT\n        shape: (-1, -1, -1, 3)",
        "outputs['image_bytes'] tensor_info:\n        dtype: DT_STRING\n        shape: (-1)",
        "inputs['edit_seed'] tensor_info:\n        dtype: DT_INT32\n        shape: (-1)",
    ):
        assert lines in shown


def without_graphs(monkeypatch):
    """For tests that are about files."""
    nothing = SimpleNamespace(graph=SimpleNamespace(variables=[]))
    signatures = {"serving_default": nothing}
    monkeypatch.setattr(export_module, "build_signatures", lambda *_, **__: signatures)
    monkeypatch.setattr(export_module, "_keras_endpoint", lambda signature: None)


def test_exporting_again_makes_the_next_version(generator, tmp_path, monkeypatch):
    def save(module, path, **options):
        (Path(path) / "saved_model.pb").write_bytes(b"saved")

    without_graphs(monkeypatch)
    monkeypatch.setattr(tf.saved_model, "save", save)
    directory = tmp_path / "toy"
    (directory / "7").mkdir(parents=True)
    (directory / "notes").mkdir()
    assert export_model(generator, toy_info(), directory) == directory / "8"
    assert export_model(generator, toy_info(), directory) == directory / "9"
    assert sorted(path.name for path in directory.iterdir()) == ["7", "8", "9", "notes"]


def test_a_failure_leaves_nothing(generator, tmp_path, monkeypatch):
    def fail(module, path, **options):
        (Path(path) / "saved_model.pb").write_bytes(b"a part")
        raise OSError("no space left")

    without_graphs(monkeypatch)
    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="no space"):
        export_model(generator, toy_info(), tmp_path / "toy")
    assert list((tmp_path / "toy").iterdir()) == []
