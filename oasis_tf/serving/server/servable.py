"""One loaded version of a SavedModel: its signatures, its metadata, and a way to run it."""

from dataclasses import dataclass, field
from pathlib import Path

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2

from oasis_tf.serving.server.errors import bad_request, from_op_error
from oasis_tf.serving.warmup import read_warmup_requests

TAG = "serve"


@dataclass
class Signature:
    """One way to call a model.

    Attributes:
        name: of the signature.
        dtypes: dict from input names to `types_pb2.DataType`.
        shapes: dict from input names to their declared shapes, tuples with -1 for any size; those
            of any rank are left out.
        joinable: whether several calls may be joined on dimension 0. True until an output
            turns out not to have the inputs' dimension 0.
    """

    name: str
    dtypes: dict[str, int]
    shapes: dict[str, tuple[int, ...]]
    function: object = field(repr=False)
    joinable: bool = True

    def run(self, inputs):
        """Calls the model: dict of arrays -> dict of arrays.

        Shapes are left to the operations of the graph, as TensorFlow Serving does. Where these
        fail and an input has not the declared rank, the answer says that instead: what an
        operation says of a missing dimension names neither the input nor the rank.

        Raises:
            ApiError: an operation failed.
        """
        try:
            outputs = self.function({name: tf.constant(inputs[name]) for name in self.dtypes})
            return {name: output.numpy() for name, output in outputs.items()}
        except tf.errors.OpError as error:
            self._check_ranks(inputs)
            raise from_op_error(error) from None

    def _check_ranks(self, inputs):
        wrong = [
            f"input {name!r} must have rank {len(shape)}, shape {_shape_text(shape)} with the "
            f"batch first. Received: rank {inputs[name].ndim}, "
            f"shape {_shape_text(inputs[name].shape)}"
            for name, shape in self.shapes.items()
            if inputs[name].ndim != len(shape)
        ]
        if wrong:
            raise bad_request("; ".join(wrong))


class Servable:
    """A version of a model, ready to be called.

    Args:
        path: the version's directory.
        version: int.

    Raises:
        Exception: whatever TensorFlow raises for what is no SavedModel, is damaged, or has no
            meta graph for serving. A warm-up request that fails is an error too.
    """

    def __init__(self, path, version):
        self.version = version
        definitions = _signature_definitions(path)
        loaded = tf.saved_model.load(str(path), tags=[TAG])
        self.signatures = {
            name: Signature(
                name,
                {alias: info.dtype for alias, info in definitions[name].inputs.items()},
                {
                    alias: tuple(dim.size for dim in info.tensor_shape.dim)
                    for alias, info in definitions[name].inputs.items()
                    if not info.tensor_shape.unknown_rank
                },
                _without_shapes(function),
            )
            for name, function in loaded.signatures.items()
        }
        # Keeps the variables alive.
        self._loaded = loaded
        self.metadata = _metadata(definitions)
        for name, inputs in read_warmup_requests(path):
            self.signature(name).run(inputs)

    def signature(self, name):
        """The `Signature` of that name.

        Raises:
            ApiError: 400, there is none.
        """
        if name not in self.signatures:
            raise bad_request(
                f"the model has no signature {name!r}. It has: {sorted(self.signatures)}"
            )
        return self.signatures[name]


def _signature_definitions(path):
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((Path(path) / "saved_model.pb").read_bytes())
    for meta_graph in saved_model.meta_graphs:
        if set(meta_graph.meta_info_def.tags) == {TAG}:
            # A copy, so that the graph can be forgotten.
            return {n: _copy(d) for n, d in meta_graph.signature_def.items()}
    raise ValueError(f"{path} has no meta graph with the tag {TAG!r}")


def _shape_text(shape):
    """As NumPy writes it, with "?" for any size.

    >>> _shape_text((-1, 64)), _shape_text((3,)), _shape_text(())
    ('(?, 64)', '(3,)', '()')
    """
    sizes = ["?" if size < 0 else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def _copy(definition):
    copy = meta_graph_pb2.SignatureDef()
    copy.CopyFrom(definition)
    return copy


def _metadata(definitions):
    """The signatures as the JSON of TensorFlow Serving's GetModelMetadataResponse."""
    message = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in definitions.items():
        message.signature_def[name].CopyFrom(definition)
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _without_shapes(function):
    """The signature's function, taking tensors of any shape in one dict."""
    _, inputs = function.structured_input_signature
    specs = {name: tf.TensorSpec(None, spec.dtype) for name, spec in inputs.items()}

    def call(tensors):
        return function(**tensors)

    return tf.function(call, input_signature=[specs], autograph=False).get_concrete_function()
