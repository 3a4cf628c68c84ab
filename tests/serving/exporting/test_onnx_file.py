import json

import numpy as np
import pytest

from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info

onnx = pytest.importorskip("onnx", reason="NO ONNX: its export is not tested; pip install onnx")
pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: the export is not tested")

from oasis_tf.serving.exporting.onnx_file import open_onnx, write_onnx  # noqa: E402
from tests.serving.exporting.test_plain_generator import MISFITS, expected, inputs  # noqa: E402


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def path(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "toy.onnx"
    differences = write_onnx(generator, toy_info(scores={"mIoU": 0.25}), path)
    assert differences.trained < 2e-5
    return path


@pytest.mark.parametrize("size", [(32, 64), (96, 32)])
def test_onnxruntime_draws_any_size(generator, path, size):
    given = inputs(size)
    right = expected(generator, *given)
    assert right.std() > 0.05
    np.testing.assert_allclose(open_onnx(path)(*given), right, atol=1e-5)


def test_openvino_reads_it(generator, path):
    given = inputs()
    np.testing.assert_allclose(by_openvino(path, given), expected(generator, *given), atol=1e-5)


def by_openvino(path, given):
    openvino = pytest.importorskip("openvino", reason="NO OPENVINO: pip install openvino")
    # On some processors it computes in bfloat16 unless told not to.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(path), "CPU", exact)
    names = ("label_map", "noise", "noise_map")
    return compiled(dict(zip(names, given, strict=True)))["image"]


def test_what_the_file_says_of_itself(path):
    model = onnx.load(path)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    sizes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    maps = ["batch", "height", "width"]
    assert sizes == {
        "label_map": maps,
        "noise": ["batch", "vectors", 4],
        "noise_map": maps,
        "image": [*maps, 3],
    }
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert metadata["name"] == "toy" and metadata["weights"] == "float32"
    assert len(metadata["class_names"]) == len(metadata["palette"]) == CLASSES
    assert metadata["image_size"] == [64, 128] and metadata["size_multiple"] == 32
    assert metadata["noise_channels"] == 4 and metadata["scores"] == {"mIoU": 0.25}
    assert "Apache-2.0" in metadata["licence"]
    assert {p.name for p in path.parent.iterdir()} == {"toy.onnx", "toy.onnx.md"}


@pytest.mark.parametrize("weights, size, most", [("float16", 1 / 2, 0.02), ("int8", 1 / 4, 0.3)])
def test_smaller_weights(generator, path, tmp_path, weights, size, most):
    small = tmp_path / "small.onnx"
    differences = write_onnx(generator, toy_info(), small, weights=weights)
    assert differences.engine < 1e-5 < differences.trained < most

    def weigh(path):
        return sum(len(i.raw_data) for i in onnx.load(path).graph.initializer if i.data_type != 7)

    # Scales and biases are more of a toy than of a model.
    assert weigh(small) / weigh(path) == pytest.approx(size, abs=0.08)
    if weights == "int8":
        given = inputs()
        np.testing.assert_allclose(by_openvino(small, given), open_onnx(small)(*given), atol=1e-5)


@pytest.mark.parametrize(
    "change, rule",
    [
        (lambda labels: labels + CLASSES, "ids_of_label_map_must_be_0_to_4"),
        (lambda labels: labels - 1, "ids_of_label_map_must_be_0_to_4"),
        (lambda labels: labels[:, :24], "sides_of_label_map_must_be_multiples_of_32"),
        (lambda labels: labels[:, :, :33], "sides_of_label_map_must_be_multiples_of_32"),
    ],
)
def test_errors_tell_the_rule(path, change, rule):
    labels, noise, noise_map = inputs()
    with pytest.raises(Exception, match=rule):
        open_onnx(path)(change(labels), noise, change(noise_map) if "sides" in rule else noise_map)


def test_the_error_of_vectors_tells_the_rule(path):
    labels, noise, noise_map = inputs()
    for wrong in (noise_map - 1, noise_map + 1):
        with pytest.raises(Exception, match="numbers_of_noise_map_must_be_of_vectors_in_noise"):
            open_onnx(path)(labels, noise, wrong)


@pytest.mark.parametrize("change", MISFITS)
def test_what_does_not_fit_is_an_error(path, change):
    # onnxruntime's errors have no common class but this one.
    with pytest.raises(Exception, match="Non-zero status|INVALID_ARGUMENT|Got invalid"):
        open_onnx(path)(*change(*inputs()))
