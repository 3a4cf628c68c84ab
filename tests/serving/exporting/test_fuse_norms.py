import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from tests.serving.exporting.toy_generator import CLASSES, toy_generator


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    label_map = rng.integers(0, CLASSES, (2, 4, 8)).repeat(16, 1).repeat(16, 2)
    return tf.constant(label_map, tf.int32), tf.constant(rng.normal(size=(2, 4)), tf.float32)


def test_same_pictures_and_the_original_stays(generator, inputs):
    before = [w.copy() for w in generator.get_weights()]
    expected = generator(*inputs)
    assert float(tf.math.reduce_std(expected)) > 0.05  # else the comparison would say nothing
    np.testing.assert_allclose(fuse_norms(generator)(*inputs), expected, atol=2e-5)
    for weight, old in zip(generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_neither_statistics_nor_singular_vectors_are_used(generator, inputs):
    fused = fuse_norms(generator)
    graph = tf.function(fused.call, autograph=False).get_concrete_function(*inputs).graph
    used = {v.path.split("/")[-1] if hasattr(v, "path") else v.name for v in graph.variables}
    assert not {name for name in used if "running" in name or name.split(":")[0] in "uv"}
    # Every other weight is: the fused kernels are those of the convolutions.
    convolutions = sum(3 if block.conv_s is not None else 2 for block in generator.blocks)
    trained = len(generator.trainable_variables)
    assert len(graph.variables) == trained
    assert convolutions == 16


def test_half_precision(generator, inputs):
    difference = fuse_norms(generator, dtype="mixed_bfloat16")(*inputs) - generator(*inputs)
    assert 0 < float(tf.reduce_mean(tf.abs(difference))) < 0.03
