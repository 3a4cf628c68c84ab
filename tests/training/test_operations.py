"""No operation enters the step that a GPU, determinism or XLA has no form of."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import kernels, op_callbacks

from oasis_tf.execution import compiled
from oasis_tf.models.padded_index import SHARES
from oasis_tf.training.indexing import add_patch_index
from tests.conftest import eagerly
from tests.training.test_step import N, make_batch, make_step

TABLE = Path(__file__).parents[2] / "docs" / "accelerators.md"
GPU, XLA = ("GPU", "DEFAULT"), ("XLA_GPU_JIT", "XLA_CPU_JIT")
# Not told of by a kernel: shapes, and variables, which are on the host in any case.
ON_THE_HOST = {"BroadcastGradientArgs", "EnsureShape", "InvertPermutation", "ReadVariableOp"}


def operations(function):
    """Types of the operations that a function runs; eagerly, for that takes no graph of them."""
    seen = set()

    def record(op_type, *_, **__):
        seen.add(op_type if isinstance(op_type, str) else op_type.decode())

    op_callbacks.add_op_callback(record)
    try:
        with eagerly():
            function()
    finally:
        op_callbacks.remove_op_callback(record)
    return seen


def of_step(jit_compile):
    batch = make_batch(np.random.default_rng(0))
    shares = SHARES if jit_compile else None
    given = add_patch_index({"label_map": batch[1]}, N, shares=shares)
    step = make_step()

    def both_updates(*batch):
        step(*batch, given["patch_index"])
        step.refine(2)

    return operations(lambda: compiled(both_updates, jit_compile)(*batch))


@pytest.fixture(scope="module")
def plain():
    return of_step(jit_compile=False)


@pytest.fixture(scope="module")
def for_xla():
    return of_step(jit_compile=True)


@pytest.fixture(scope="module", autouse=True)
def registered():
    """XLA's kernels are registered when it compiles for the first time."""
    compiled(lambda x: x + 1)(tf.constant(1.0))


def table():
    """What the table says of operations: (listed, those of which it says that XLA takes them)."""
    listed, compilable = set(), set()
    for line in TABLE.read_text().splitlines():
        if line.startswith("| `"):
            names = set(re.findall(r"`(\w+)`", line.split("|")[1]))
            listed |= names
            if line.split("|")[3].strip() == "yes":
                compilable |= names
    return listed, compilable


def without_kernel(names, devices):
    def has(name):
        found = kernels.get_registered_kernels_for_op(name).kernel
        return any(kernel.device_type in devices for kernel in found)

    return {name for name in names if not has(name)}


def test_every_operation_is_in_the_table(plain, for_xla):
    listed, compilable = table()
    assert len(plain) > 50 and len(for_xla) > 50
    assert not (plain | for_xla) - listed
    assert not for_xla - compilable


def test_every_operation_has_a_kernel_on_a_gpu(plain):
    assert not without_kernel(plain - ON_THE_HOST, GPU)


def test_every_operation_has_a_kernel_for_xla(for_xla):
    for device in XLA:
        assert not without_kernel(for_xla, [device])
    assert not without_kernel(table()[1], [XLA[0]])


def test_one_that_has_none_is_noticed():
    seen = operations(lambda: tf.math.bincount([1, 2], minlength=3))
    assert "DenseBincount" in seen - table()[0]
    assert without_kernel({"SparseSegmentSumWithNumSegments"}, XLA)
    assert without_kernel({"DecodePng"}, GPU)
