"""What `draw_plainly` needs, as nodes of an ONNX graph."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from oasis_tf.layers.activation import SLOPE
from oasis_tf.serving.exporting.int8_weights import to_int8
from oasis_tf.serving.exporting.model_info import SIZE_MULTIPLE


class OnnxOperations:
    """The operations on names of values, with the channels first, as ONNX' convolutions are.

    Args:
        dtype: "float32", "float16" or "int8", of the weights in the file. Computed is in float32:
            engines cast and scale constants once, when they load the file.

    Attributes:
        nodes: list of NodeProto, in order.
        initializers: list of TensorProto, the constants.
    """

    def __init__(self, dtype="float32"):
        self.nodes = []
        self.initializers = []
        self._dtype = np.dtype(dtype)
        self._constants = {}

    def checked_labels(self, label_map, num_classes):
        """The label map as it is; fails, where the engine checks, for other ids and odd sizes.

        The engine's error tells the name of the operation, and so the rule.
        """
        ids = self._constant(np.arange(num_classes, dtype=np.int32))
        count = self._constant(np.int32(num_classes))
        label_map = self._none_negative(label_map, np.int32, count)
        rule = f"ids_of_label_map_must_be_0_to_{num_classes - 1}"
        labels = self._node("Gather", ids, label_map, name=rule)

        # (B, H / m * m, W / m * m) has as many pixels only if m divides both sides.
        multiple = self._constant(np.int64(SIZE_MULTIPLE))
        sides = self._node("Shape", labels, start=1)
        whole = self._node("Mul", self._node("Div", sides, multiple), multiple)
        whole = self._node("Concat", self._node("Shape", labels, end=1), whole, axis=0)
        rule = f"sides_of_label_map_must_be_multiples_of_{SIZE_MULTIPLE}"
        return self._node("Reshape", labels, whole, name=rule, allowzero=1)

    def pixel_vectors(self, noise, noise_map, labels):
        """The noise of each pixel, (B, Z, H, W); `noise_map` may be one that `labels` stretches."""
        # onnxruntime takes any number of pictures here, so one that is not the labels' fails first.
        sizes = self._node("Shape", labels, end=1), self._node("Shape", noise, start=1)
        noise = self._node("Reshape", noise, self._node("Concat", *sizes, axis=0))
        noise_map = self._node("Expand", noise_map, self._node("Shape", labels))
        index = self._node("Unsqueeze", noise_map, self._ints(-1))
        index = self._node("Cast", index, to=TensorProto.INT64)
        index = self._none_negative(index, np.int64, self._node("Shape", noise, start=1, end=2))
        rule = "numbers_of_noise_map_must_be_of_vectors_in_noise"
        return self.channels(self._node("GatherND", noise, index, name=rule, batch_dims=1))

    def every(self, x, scale):
        """The pixels 0, s, 2s, ... of the last two axes."""
        if scale == 1:
            return x
        return self._slice(x, (0, 0), (_END, _END), scale)

    def neighbours(self, labels, scale, outside):
        """The labels of the nine taps at a resolution, row by row, with `outside` at the border."""
        padded = self._node(
            "Pad",
            self.every(labels, scale),
            self._ints(0, 1, 1, 0, 1, 1),
            self._constant(np.int32(outside)),
        )
        ends = (-2, -1, _END)
        return [
            self._slice(padded, (i, j), (ends[i], ends[j]), 1) for i in range(3) for j in range(3)
        ]

    def look_up(self, rows, ids):
        """float32 (N + 1, C), int32 (B, h, w) -> (B, h, w, C)."""
        if self._dtype == np.int8:
            # OpenVINO 2026.4 writes where it must not if rows of int8 are looked up right after
            # their columns are scaled. Turned in between, which engines compute once, it does not.
            columns = self._weight(np.transpose(rows), shared=(1,))
            return self._node("Gather", self._node("Transpose", columns, perm=[1, 0]), ids)
        return self._node("Gather", self._weight(rows), ids)

    def channels(self, x):
        """(B, h, w, C) -> (B, C, h, w)."""
        return self._node("Transpose", x, perm=[0, 3, 1, 2])

    def conv(self, x, conv):
        """A `Conv` of a picture."""
        margin = conv.kernel.shape[0] // 2
        inputs = [x, self._weight(np.transpose(conv.kernel, (3, 2, 0, 1)), shared=(1, 2, 3))]
        if conv.bias is not None:
            inputs.append(self._weight(conv.bias))
        return self._node("Conv", *inputs, pads=[margin] * 4)

    def upsample2x(self, x):
        """Nearest."""
        scales = self._constant(np.float32([1, 1, 2, 2]))
        return self._node(
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def add(self, a, b):
        """Elementwise."""
        return self._node("Add", a, b)

    def multiply(self, a, b):
        """Elementwise."""
        return self._node("Mul", a, b)

    def relu(self, x):
        """Elementwise."""
        return self._node("Relu", x)

    def leaky_relu(self, x):
        """Elementwise, of the networks' slope."""
        return self._node("LeakyRelu", x, alpha=SLOPE)

    def tanh(self, x):
        """Elementwise."""
        return self._node("Tanh", x)

    def pictures(self, x, label_map):
        """A picture to `image` (B, H, W, 3); fails unless that is the label map's size."""
        x = self._node("Transpose", x, perm=[0, 2, 3, 1])
        shape = self._node("Concat", self._node("Shape", label_map), self._ints(3), axis=0)
        return self._node("Reshape", x, shape, output="image")

    def _none_negative(self, index, dtype, count):
        """Negative ones, which ONNX counts from the end, become `count`, which no table has.

        No larger number: OpenVINO checks none, and reads where it says.
        """
        negative = self._node("Less", index, self._constant(dtype(0)))
        return self._node("Where", negative, count, index)

    def _slice(self, x, starts, ends, step):
        # The last two axes, be it of ids (B, h, w) or of a picture.
        inputs = (starts, ends, (-2, -1), (step, step))
        return self._node("Slice", x, *(self._ints(*numbers) for numbers in inputs))

    def _node(self, kind, *inputs, output=None, name=None, **attributes):
        output = output or f"{kind}_{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [output], name=name or output, **attributes)
        self.nodes.append(node)
        return output

    def _weight(self, array, shared=()):
        """A constant; `shared`: the axes that have one scale, as in `to_int8`."""
        if self._dtype == np.int8:
            if not shared:  # a bias
                return self._constant(array)
            # Not DequantizeLinear, which onnxruntime computes anew for each picture.
            numbers, scale = to_int8(array, shared)
            numbers = self._node("Cast", self._constant(numbers), to=TensorProto.FLOAT)
            return self.multiply(numbers, self._constant(scale))
        stored = np.asarray(array, self._dtype)
        if stored.dtype == np.float32:
            return self._constant(stored)
        return self._node("Cast", self._constant(stored), to=TensorProto.FLOAT)

    def _ints(self, *numbers):
        return self._constant(np.array(numbers, np.int64))

    def _constant(self, array):
        array = np.asarray(array)
        # Small ones, such as the numbers of slices, are there once.
        key = (array.dtype, array.shape, array.tobytes()) if array.size < 9 else object()
        if key not in self._constants:
            name = self._constants[key] = f"constant_{len(self._constants)}"
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self._constants[key]


# A slice that ends here goes to the end of any axis.
_END = np.iinfo(np.int64).max
