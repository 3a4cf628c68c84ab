"""A generator as one LiteRT file (TensorFlow Lite), for phones and small machines."""

import tempfile

import numpy as np
import tensorflow as tf

from oasis_tf.serving.exporting.engine_file import write_engine_file
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
        weights: "float32" or "float16".

    Returns:
        `Differences` of LiteRT's pictures.

    Raises:
        As `write_engine_file`.
    """

    def write(weights, metadata, path):
        converted = _convert(weights, half=metadata["weights"] == '"float16"')
        path.write_bytes(_described(converted, info.config.image_size, metadata))

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
    channels = weights.first.noise.kernel.shape[2]

    def generate(label_map, noise, noise_map):
        engine = TensorFlowOperations()
        return {"image": draw_plainly(weights, engine, label_map, noise, noise_map)}

    graph = tf.function(
        generate,
        autograph=False,
        input_signature=[
            tf.TensorSpec(maps, tf.int32, name="label_map"),
            tf.TensorSpec([None, None, channels], tf.float32, name="noise"),
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


def _described(converted, image_size, metadata):
    """The file with metadata, and inputs that have a size before anybody gives them one."""
    # Late, for it brings all of the schema.
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(converted)
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
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
