"""Bits against Philox's published vectors; normals against NumPy and their distribution."""

import math

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.random_normals import random_bits, random_normals

PAIRS = np.array([[1, 2], [2**31 - 1, (1 << 60) + 5], [0, 0], [-1, -1]], np.int64)


def philox(counter, key):
    """One block, with Python's own integers."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        product = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            product[1] >> 32 ^ counter[1] ^ key[0],
            product[1] & 0xFFFFFFFF,
            product[0] >> 32 ^ counter[3] ^ key[1],
            product[0] & 0xFFFFFFFF,
        ]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


def test_the_reference_is_philox():
    """The vectors that come with the authors' library, Random123."""
    ones = 0xFFFFFFFF
    pi = 0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([ones] * 4, [ones] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    assert philox(pi[:4], pi[4:]) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def expected_bits(count):
    rows = []
    for first, second in PAIRS.astype(np.uint64).tolist():
        words = []
        for block in range((count + 3) // 4):
            words += philox([block, 0, second % 2**32, second >> 32], [first % 2**32, first >> 32])
        rows.append(words[:count])
    return np.array(rows, np.uint64)


@pytest.mark.parametrize("count", [1, 4, 7, 64])
def test_bits_and_normals(count):
    np.testing.assert_array_equal(random_bits(tf.constant(PAIRS), count), expected_bits(count))
    a, b = np.split(expected_bits(count + count % 2).reshape(len(PAIRS), -1, 2), 2, axis=-1)
    u, v = (a + 0.5) / 2**32, b / 2**32
    normals = np.sqrt(-2 * np.log(u)) * np.concatenate(
        [np.cos(2 * math.pi * v), np.sin(2 * math.pi * v)], axis=-1
    )
    ours = random_normals(tf.constant(PAIRS), count)
    expected = normals.reshape(len(PAIRS), -1)[:, :count].astype(np.float32)
    np.testing.assert_array_equal(ours, expected)
    assert ours.dtype == tf.float32


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}])
def test_the_same_in_a_graph_and_under_xla(options):
    pairs = tf.constant(PAIRS)
    eager = random_normals(pairs, 64), random_bits(pairs, 64)
    compiled = tf.function(lambda x: (random_normals(x, 64), random_bits(x, 64)), **options)(pairs)
    np.testing.assert_array_equal(compiled[0], eager[0])
    np.testing.assert_array_equal(compiled[1], eager[1])


def test_a_row_depends_on_its_pair_alone():
    together = random_normals(tf.constant(PAIRS), 10)
    for i in range(len(PAIRS)):
        alone = random_normals(tf.constant(PAIRS[i : i + 1]), 64)
        np.testing.assert_array_equal(alone[0, :10], together[i])


def test_moments():
    """Of 128,000 normals: means within five of their standard deviations."""
    rows = np.stack([np.arange(2000), np.full(2000, 7)], -1)
    x = random_normals(tf.constant(rows), 64).numpy().astype(float)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(x**power) - mean) < 5 * math.sqrt(variance / x.size)
    correlation = np.corrcoef(x.T) - np.eye(64)
    assert np.abs(correlation).max() < 5 / math.sqrt(2000)
    assert np.abs(x).max() < 6.8
