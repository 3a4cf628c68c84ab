"""A generator as one LiteRT file (TensorFlow Lite), for phones and small machines."""

import json
import tempfile

import numpy as np
import tensorflow as tf

from oasis_tf.serving.exporting.engine_file import write_engine_file
from oasis_tf.serving.exporting.int8_weights import to_int8
from oasis_tf.serving.exporting.plain_generator import draw_plainly
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations

_SIGNATURE = "generate"


def write_litert(generator, info, path, *, weights="float32"):
    """Writes a generator as a LiteRT file of builtin operations.

    The signature `generate` has the inputs and the output of `write_onnx`. The file begins with
    B = 1, K = 1 and the size of training; an interpreter's `resize_tensor_input` changes all of
    them, which a signature runner does by itself. The metadata are buffers named as those of the
    ONNX file.

    Args:
        generator: a trained `Generator`; stays as it is.
        info: its `ModelInfo`.
        path: of the file, NAME.tflite; its card is NAME.tflite.md.
        weights: "float32", "float16" or "int8".

    Returns:
        `Differences` of LiteRT's pictures.

    Raises:
        As `write_engine_file`.
    """

    def write(weights, metadata, path):
        dtype = json.loads(metadata["weights"])
        # Late, for it brings all of the schema.
        from tensorflow.lite.tools import flatbuffer_utils

        converted = _convert(weights, half=dtype == "float16")
        model = flatbuffer_utils.convert_bytearray_to_object(converted)
        if dtype == "int8":
            _store_in_int8(model)
        _describe(model, info.config.image_size, metadata)
        path.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))

    return write_engine_file(
        generator,
        info,
        path,
        weights=weights,
        engine="LiteRT",
        write=write,
        open_file=open_litert,
    )


def open_litert(path, threads=None):
    """Opens a file: a function of arrays, as the signature's inputs, to pictures.

    Args:
        path: of the file.
        threads: how many processor cores; LiteRT's own choice where None.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    runner = interpreter.get_signature_runner(_SIGNATURE)

    def draw(label_map, noise, noise_map):
        return runner(label_map=label_map, noise=noise, noise_map=noise_map)["image"]

    return draw


def _convert(weights, half):
    maps = [None, None, None]

    def generate(label_map, noise, noise_map):
        engine = TensorFlowOperations()
        return {"image": draw_plainly(weights, engine, label_map, noise, noise_map)}

    graph = tf.function(
        generate,
        autograph=False,
        input_signature=[
            tf.TensorSpec(maps, tf.int32, name="label_map"),
            tf.TensorSpec([None, None, weights.noise_channels], tf.float32, name="noise"),
            tf.TensorSpec(maps, tf.int32, name="noise_map"),
        ],
    )
    with tempfile.TemporaryDirectory() as directory:
        tf.saved_model.save(tf.Module(), directory, signatures={_SIGNATURE: graph})
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=[_SIGNATURE])
        if half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _store_in_int8(model):
    """Stores the weights in int8, and lets the file turn them into float32 when it is loaded.

    The converter's own int8 rounds what the layers give each other as well.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    model.operatorCodes.append(schema.OperatorCodeT())
    model.operatorCodes[-1].builtinCode = schema.BuiltinOperator.DEQUANTIZE
    model.operatorCodes[-1].deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    model.operatorCodes[-1].version = 5  # the first with a scale for each channel
    operators = []
    for number, axis in _weights_of(model).items():
        tensor = graph.tensors[number]
        array = np.frombuffer(bytes(model.buffers[tensor.buffer].data), np.float32)
        array = array.reshape(tensor.shape)
        shared = tuple(i for i in range(array.ndim) if i != axis)
        numbers, scale = to_int8(array, shared)
        stored = schema.TensorT()
        stored.name, stored.shape = tensor.name + b"_int8", tensor.shape
        stored.type, stored.buffer = schema.TensorType.INT8, tensor.buffer
        stored.quantization = schema.QuantizationParametersT()
        stored.quantization.scale = scale.ravel()
        stored.quantization.zeroPoint = np.zeros(scale.size, np.int64)
        stored.quantization.quantizedDimension = axis
        model.buffers[tensor.buffer].data = numbers.view(np.uint8).ravel()
        tensor.buffer = 0  # that of nothing
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = [len(graph.tensors)], [number]
        graph.tensors.append(stored)
        operators.append(operator)
    graph.operators = operators + graph.operators


def _weights_of(model):
    """The constants that `rounded_to_int8` rounds: {number of a tensor: axis of its scales}."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph, found = model.subgraphs[0], {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex].builtinCode
        if code == schema.BuiltinOperator.CONV_2D:
            found[operator.inputs[1]] = 0
        elif code == schema.BuiltinOperator.GATHER:
            rows = graph.tensors[operator.inputs[0]]
            if (
                rows.type == schema.TensorType.FLOAT32
                and model.buffers[rows.buffer].data is not None
            ):
                found[operator.inputs[0]] = 1
    return found


def _describe(model, image_size, metadata):
    """Adds metadata, and gives the inputs a size before anybody does."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    for number in graph.inputs:
        tensor = graph.tensors[number]
        if tensor.type == schema.TensorType.INT32:
            tensor.shape = np.int32([1, *image_size])
    model.metadata = model.metadata or []
    for name, text in metadata.items():
        entry, buffer = schema.MetadataT(), schema.BufferT()
        buffer.data = np.frombuffer(text.encode(), np.uint8)
        entry.name, entry.buffer = name.encode(), len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
