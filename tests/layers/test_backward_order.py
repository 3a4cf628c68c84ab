"""What a gradient copies of the forward pass is copied when the gradient comes, not before.

TensorFlow starts what it can: a copy that needs nothing of the backward pass is made during the
forward pass, and kept. That is invisible but in the peak of memory.
"""

import pytest
import tensorflow as tf

from oasis_tf.layers import patch_conv as patch_conv_module
from oasis_tf.layers.batch_norm import _normalize_by_batch
from oasis_tf.layers.convolution import convolve, convolve_transposed
from oasis_tf.layers.modulate import modulate
from oasis_tf.layers.patch_conv import patch_conv

COPIES = {"SpaceToBatchND", "Pad", "GatherV2", "Cast"}


def convolution(x):
    return convolve(x, tf.ones((4, 4, 5, 6)), 2)


def transposed_convolution(x):
    return convolve_transposed(x, tf.ones((4, 4, 6, 5)))


def modulation(x):
    index = tf.zeros((1, 4, 6), tf.int32)
    return modulate(x, tf.ones((3, 5)), tf.ones((3, 5)), index, activate=True)


def normalization(x):
    return _normalize_by_batch(tf.cast(x, tf.bfloat16), tf.zeros(5), tf.ones(5))


def ancestors(op):
    """All that must have run before an operation, itself included."""
    found, ahead = set(), [op]
    while ahead:
        op = ahead.pop()
        if op not in found:
            found.add(op)
            ahead += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return found


def gradient_operations(function, x):
    """(the operations that the gradient adds, the one that the upstream gradient comes from)."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    upstream = tf.compat.v1.placeholder(y.dtype, y.shape)
    before = set(x.graph.get_operations())
    tape.gradient(y, x, output_gradients=upstream)
    return [op for op in x.graph.get_operations() if op not in before], upstream.op


@pytest.mark.parametrize(
    "function", [convolution, transposed_convolution, modulation, normalization]
)
def test_copies_wait(function):
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, (1, 4, 6, 5))
        operations, upstream = gradient_operations(function, x)
        copies = [op for op in operations if op.type in COPIES]
        assert copies
        assert all(upstream in ancestors(op) for op in copies)


def test_loops_wait(monkeypatch):
    monkeypatch.setattr(patch_conv_module, "chunk_bytes", lambda what: 1)
    with tf.Graph().as_default():
        hidden = tf.compat.v1.placeholder(tf.float32, (7, 5))
        patches5 = tf.zeros((11, 9), tf.int32)
        operations, upstream = gradient_operations(
            lambda x: patch_conv(x, patches5, (tf.ones((3, 3, 5, 6)),))[0], hidden
        )
        (loop,) = [op for op in operations if "While" in op.type]
        rows = [x.op for x in loop.inputs if x.shape == (8, 5)]
        assert rows
        assert all(upstream in ancestors(op) for op in rows)
