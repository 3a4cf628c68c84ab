"""Modulation by looked-up tables against the same written out, values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers.modulate import modulate

B, H, W, C, Q = 2, 4, 6, 3, 5


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("activate", [False, True])
@pytest.mark.parametrize("graph", [False, True])
def test_value_and_gradients(rng, upsample, activate, graph):
    h, w = (H // 2, W // 2) if upsample else (H, W)
    sources = [
        tf.constant(rng.normal(size=shape), tf.float32) for shape in ((B, h, w, C), (Q, C), (Q, C))
    ]
    # Row 4 is used nowhere.
    index = tf.constant(rng.integers(0, Q - 1, (B, H, W)), tf.int32)

    def ours(x, gamma, beta):
        return modulate(x, gamma, beta, index, upsample=upsample, activate=activate)

    def plain(x, gamma, beta):
        if upsample:
            x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
        y = x * (1 + tf.gather(gamma, index)) + tf.gather(beta, index)
        return tf.maximum(y, 0.2 * y) if activate else y

    weights = tf.constant(rng.normal(size=(B, H, W, C)), tf.float32)

    def differentiated(function, *sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            y = function(*sources)
            loss = tf.reduce_sum(y * weights)
        return y, *map(tf.convert_to_tensor, tape.gradient(loss, sources))

    run = tf.function(differentiated) if graph else differentiated
    results = [run(function, *sources) for function in (ours, plain)]
    assert results[0][0].shape == (B, H, W, C)
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(None, H, W, C), (1, None, None, C)])
@pytest.mark.parametrize("upsample", [False, True])
def test_sizes_may_be_unknown(shape, upsample):
    @tf.function(
        input_signature=[
            tf.TensorSpec(shape),
            tf.TensorSpec((None, C)),
            tf.TensorSpec((None, None, None), tf.int32),
        ]
    )
    def run(x, table, index):
        y = modulate(x, table, table, index, upsample=upsample)
        assert y.shape[3] == C
        assert (y.shape[1] is None) == (shape[1] is None)
        return y

    times = 2 if upsample else 1
    index = tf.zeros((1, times * H, times * W), tf.int32)
    y = run(tf.ones((1, H, W, C)), tf.ones((1, C)), index)
    np.testing.assert_array_equal(y, np.full((1, times * H, times * W, C), 3.0))


def test_many_pixels_of_one_patch_are_summed_in_float32():
    """In bfloat16 a sum of ones stops growing at 256."""
    x = tf.ones((1, 32, 64, 1), tf.bfloat16)
    table = tf.zeros((1, 1), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(table)
        y = modulate(x, table, table, tf.zeros((1, 32, 64), tf.int32))
        loss = tf.reduce_sum(tf.cast(y, tf.float32))
    assert float(tape.gradient(loss, table)[0, 0]) == 2 * 32 * 64
