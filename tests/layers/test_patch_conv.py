"""Convolution of a hidden layer by its distinct patches against one on the grid."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.execution import compiled, for_xla
from oasis_tf.layers import patch_conv as module
from oasis_tf.layers.patch_conv import patch_conv, sum_rows
from oasis_tf.models.patch_index import build_patch_index

WIDTH = 8


def in_xla_forms(function):
    def run(*arguments):
        with for_xla():
            return function(*arguments)

    return run


WAYS = {"eager": lambda f: f, "graph": tf.function, "forms": in_xla_forms, "XLA": compiled}


# Narrow (2 + 3 < 8) and wide; one chunk known beforehand, one by chance, chunks of seven. The same
# in operations that XLA has kernels for, and compiled by it.
@pytest.mark.parametrize("outputs", [(2, 3), (7, 4)])
@pytest.mark.parametrize("patches_at_once, at_most", [(60, 60), (10**6, None), (7, 60)])
@pytest.mark.parametrize("way", WAYS)
def test_value_and_gradients(rng, monkeypatch, outputs, patches_at_once, at_most, way):
    size = patches_at_once * 9 * WIDTH * 4
    monkeypatch.setattr(module, "chunk_bytes", lambda what: size)
    label_map = np.repeat(rng.integers(0, 3, (1, 6, 5)), 2, axis=2).astype(np.int32)
    patches = build_patch_index(tf.constant(label_map), 3, [1]).levels[0]
    count = int(patches.patches3.shape[0])
    centres = tf.gather(patches.patches5[:, 4], patches.index)
    sources = [
        tf.constant(rng.normal(size=shape), tf.float32)
        for shape in ((count, WIDTH), *((3, 3, WIDTH, n) for n in outputs))
    ]

    def ours(hidden, *kernels):
        results = patch_conv(hidden, patches.patches5, kernels, at_most=at_most)
        return [tf.gather(r, patches.index) for r in results]

    def plain(hidden, *kernels):
        return [tf.nn.conv2d(tf.gather(hidden, centres), k, 1, "SAME") for k in kernels]

    weights = [tf.constant(rng.normal(size=(*label_map.shape, n)), tf.float32) for n in outputs]

    def differentiated(function, *sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            results = function(*sources)
            loss = tf.add_n([tf.reduce_sum(r * w) for r, w in zip(results, weights, strict=True)])
        return *results, *map(tf.convert_to_tensor, tape.gradient(loss, sources))

    results = [
        WAYS[way](lambda *sources: differentiated(ours, *sources))(*sources),
        differentiated(plain, *sources),
    ]
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_sums_of_rows(rng, way):
    table = tf.constant(rng.normal(size=(6, 3)), tf.float32)
    ids = rng.integers(0, 5, (4, 9)).astype(np.int32)
    weights = rng.normal(size=(4, 3)).astype(np.float32)

    @WAYS[way]
    def differentiated(table):
        with tf.GradientTape() as tape:
            tape.watch(table)
            sums = sum_rows(table, ids)
            loss = tf.reduce_sum(sums * weights)
        return sums, tf.convert_to_tensor(tape.gradient(loss, table))

    sums, gradient = differentiated(table)
    np.testing.assert_allclose(sums, table.numpy()[ids].sum(1), rtol=1e-5, atol=1e-6)
    expected = np.zeros((6, 3))
    np.add.at(expected, ids, weights[:, None])
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)
