import json

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.int8_weights import rounded_to_int8
from oasis_tf.serving.exporting.plain_generator import draw_plainly, plain_weights
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations
from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info

interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="NO LITERT: not tested")

from oasis_tf.serving.exporting import litert_file  # noqa: E402
from oasis_tf.serving.exporting.litert_file import open_litert, write_litert  # noqa: E402
from tests.serving.exporting.test_plain_generator import MISFITS, expected, inputs  # noqa: E402


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def path(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "toy.tflite"
    differences = write_litert(generator, toy_info(), path)
    assert differences.trained < 2e-5
    assert {p.name for p in path.parent.iterdir()} == {"toy.tflite", "toy.tflite.md"}
    return path


def test_it_draws_any_size(generator, path):
    draw = open_litert(path)
    for size in ((32, 64), (96, 32)):
        given = inputs(size)
        right = expected(generator, *given)
        np.testing.assert_allclose(draw(*given), right, atol=1e-5)


def test_it_begins_with_the_size_of_training(generator, path):
    model = interpreter.Interpreter(str(path))
    model.allocate_tensors()
    label_map, noise, noise_map = (array[:1] for array in inputs((64, 128)))
    given = (label_map, noise[:, 1:2], np.zeros_like(noise_map))
    shapes = {tuple(detail["shape"]) for detail in model.get_input_details()}
    assert shapes == {(1, 64, 128), (1, 1, 4)}
    names = ("label_map", "noise", "noise_map")
    for detail in model.get_input_details():
        name = detail["name"].partition("_")[2].partition(":")[0]
        model.set_tensor(detail["index"], given[names.index(name)])
    model.invoke()
    image = model.get_tensor(model.get_output_details()[0]["index"])
    np.testing.assert_allclose(image, expected(generator, *given), atol=1e-5)


def test_what_the_file_says_of_itself(path):
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    metadata = {}
    for entry in model.metadata:
        if not entry.name.startswith((b"min_runtime", b"CONVERSION")):
            metadata[entry.name.decode()] = json.loads(bytes(model.buffers[entry.buffer].data))
    assert metadata["name"] == "toy" and metadata["image_size"] == [64, 128]
    assert len(metadata["class_names"]) == len(metadata["palette"]) == CLASSES
    assert metadata["noise_channels"] == 4 and "Apache-2.0" in metadata["licence"]
    # No operation but the builtins: neither TensorFlow's own nor custom ones.
    assert all(not code.customCode for code in model.operatorCodes)


@pytest.mark.slow
@pytest.mark.parametrize("weights, most", [("float16", 0.02), ("int8", 0.3)])
def test_smaller_weights(generator, path, tmp_path, weights, most):
    small = tmp_path / "small.tflite"
    differences = write_litert(generator, toy_info(), small, weights=weights)
    assert differences.engine < 1e-5 < differences.trained < most
    # At a toy's size the graph is most of the file.
    assert small.stat().st_size < path.stat().st_size - 30_000


def test_int8(generator, path, tmp_path):
    from tensorflow.lite.tools import flatbuffer_utils

    # As `write_litert` does, but for converting anew.
    small, model = tmp_path / "small.tflite", flatbuffer_utils.read_model(str(path))
    litert_file._store_in_int8(model)
    small.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    weights = tf.nest.map_structure(
        lambda tensor: tensor if tensor is None else rounded_to_int8(tensor.numpy()),
        plain_weights(fuse_norms(generator)),
    )
    given = inputs()
    right = draw_plainly(weights, TensorFlowOperations(), *map(tf.constant, given)).numpy()
    drawn = open_litert(small)(*given)
    np.testing.assert_allclose(drawn, right, atol=1e-5)
    assert np.abs(drawn - expected(generator, *given)).max() > 1e-3
    assert small.stat().st_size < path.stat().st_size - 30_000


@pytest.mark.parametrize("change", MISFITS)
def test_what_does_not_fit_is_an_error(path, change):
    with pytest.raises(RuntimeError):
        open_litert(path)(*change(*inputs()))
