"""A generator as one ONNX file, for onnxruntime, the browser, OpenVINO and others."""

import json

import onnx
from onnx import TensorProto, helper

from data_pipeline.errors import DataError
from oasis_tf.serving.exporting.engine_file import write_engine_file
from oasis_tf.serving.exporting.onnx_operations import OnnxOperations
from oasis_tf.serving.exporting.plain_generator import draw_plainly

_OPSET = 18
# The format's version that goes with it: what later ones add nothing here needs.
_IR_VERSION = 8
_MOST_BYTES = 2**31 - 1  # of a Protocol Buffers message


def write_onnx(generator, info, path, *, weights="float32"):
    """Writes a generator as an ONNX file.

    Inputs `label_map` int32 (B, H, W), `noise` float32 (B, K, Z) and `noise_map` int32 (B, H, W)
    in [0, K), of any B and K and of H and W that are multiples of 32; output `image` float32
    (B, H, W, 3) in [-1, 1]. The metadata name classes, palette, sizes and licence.

    Args:
        generator: a trained `Generator`; stays as it is.
        info: its `ModelInfo`.
        path: of the file, NAME.onnx; its card is NAME.onnx.md.
        weights: "float32", "float16" or "int8".

    Returns:
        `Differences` of onnxruntime's pictures.

    Raises:
        As `write_engine_file`; DataError: more weights than an ONNX file holds.
    """
    return write_engine_file(
        generator,
        info,
        path,
        weights=weights,
        engine="ONNX",
        write=_write,
        open_file=open_onnx,
    )


def open_onnx(path):
    """Opens a file with onnxruntime: a function of arrays, as the file's inputs, to pictures."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def draw(label_map, noise, noise_map):
        inputs = {"label_map": label_map, "noise": noise, "noise_map": noise_map}
        return session.run(["image"], inputs)[0]

    return draw


def _write(weights, metadata, path):
    engine = OnnxOperations(json.loads(metadata["weights"]))
    draw_plainly(weights, engine, "label_map", "noise", "noise_map")
    size = sum(len(constant.raw_data) for constant in engine.initializers)
    if size > _MOST_BYTES - 2**20:
        raise DataError(
            f"an ONNX file holds {_MOST_BYTES} bytes; --weights float16 takes half as many. "
            f"Received: {size} bytes of weights"
        )
    maps, channels = ["batch", "height", "width"], weights.noise_channels
    graph = helper.make_graph(
        engine.nodes,
        "generate",
        [
            helper.make_tensor_value_info("label_map", TensorProto.INT32, maps),
            helper.make_tensor_value_info(
                "noise", TensorProto.FLOAT, ["batch", "vectors", channels]
            ),
            helper.make_tensor_value_info("noise_map", TensorProto.INT32, maps),
        ],
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [*maps, 3])],
        engine.initializers,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="oasis-tf",
    )
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path), full_check=True)
