"""The patch index beside the step is that which the step finds itself."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.generator import SCALES
from oasis_tf.models.padded_index import SHARES
from oasis_tf.models.patch_index import build_patch_index
from oasis_tf.training.accumulated_step import AccumulatedStep
from oasis_tf.training.indexing import add_patch_index
from tests.training.test_accumulated_step import (
    MICRO,
    N,
    assert_same,
    make_inputs,
    make_step,
    state,
)


def assert_equal(one, other):
    for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_in_a_stream_of_batches_it_is_the_same():
    label_map = make_inputs()[1]
    dataset = tf.data.Dataset.from_tensors({"label_map": label_map})
    (batch,) = dataset.map(lambda batch: add_patch_index(batch, N))
    assert_equal(batch["patch_index"], build_patch_index(label_map, N, SCALES))
    assert_equal(batch["label_map"], label_map)


@pytest.mark.parametrize("shares", [pytest.param(None, marks=pytest.mark.slow), SHARES])
def test_the_parts_of_micro_batches(shares, eager):
    inputs = make_inputs()
    batch = add_patch_index({"label_map": inputs[1]}, N, micro_batches=MICRO, shares=shares)
    steps = [make_step() for _ in range(2)]
    (expected, actual) = (
        AccumulatedStep(step, MICRO)(*inputs, **given)
        for step, given in zip(steps, ({}, {"patch_index": batch["patch_index"]}), strict=True)
    )
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-5, err_msg=name)
    assert_same(state(steps[1]), state(steps[0]))
