"""Padded patch indices stand for the same patches, in sizes that can be told by hand."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.padded_index import EVERYTHING, SHARES, pad_together
from oasis_tf.models.patch_index import build_patch_index

N, H, W = 5, 16, 24


def unpadded(patch_index):
    """(label, vector) of the 25 taps of each pixel of each level, (-1, -1) outside."""
    labels, vectors = (np.append(x.numpy(), -1) for x in patch_index[:2])
    for level in patch_index.levels:
        threes = np.vstack([level.patches3.numpy(), np.full((1, 9), len(labels) - 1)])
        taps = threes[level.patches5.numpy()[level.index.numpy()]]
        yield np.stack([labels[taps], vectors[taps]])


def indices(rng):
    """Of two batches: one with few patches, one with many."""
    maps = np.zeros((2, 1, H, W), np.int64)
    maps[0, :, 5:] = 1
    maps[1] = rng.integers(0, N, (1, H, W))
    return [build_patch_index(x, N, [4, 2, 1]) for x in maps]


@pytest.mark.parametrize("shares", [None, SHARES, EVERYTHING])
@pytest.mark.parametrize("graph", [False, True])
def test_the_patches_stay(rng, shares, graph):
    given = indices(rng)
    run = tf.function(pad_together) if graph else pad_together
    padded = run(given, N, shares)
    assert len({str(tf.nest.map_structure(lambda x: x.shape, x)) for x in padded}) == 1
    for before, after in zip(given, padded, strict=True):
        for expected, actual in zip(unpadded(before), unpadded(after), strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_sizes_are_those_of_the_smallest_share_that_holds_all():
    label_map = np.zeros((1, 64, 64), np.int64)
    label_map[:, :, 30:] = 1
    patch_index = build_patch_index(label_map, 700, [4, 1])
    # Five kinds of rows, by how much of the window is outside; ten of columns: two at either edge,
    # four around the border of the classes, the inside of either class.
    assert [len(x.patches5) for x in patch_index.levels] == [50, 50]
    (padded,) = pad_together([patch_index], 700, SHARES)
    # The 256 pixels of scale 4 need 4 t >= 50 / 256, t >= 0.049: the next share is 2^-4.
    expected = [4 * 256 // 16, 4096 // 16]
    assert [len(x.patches3) for x in padded.levels] == expected
    assert [len(x.patches5) for x in padded.levels] == expected
    assert len(padded.labels) == len(padded.vectors) == 2


def test_everything_holds_a_label_at_every_pixel(rng):
    for num_classes, regions in ((3, 2 * 3), (5000, 2 * H * W)):
        given = build_patch_index(rng.integers(0, num_classes, (2, H, W)), num_classes, [2, 1])
        (padded,) = pad_together([given], num_classes, EVERYTHING)
        assert len(padded.labels) == regions
        assert [len(x.patches5) for x in padded.levels] == [2 * H * W // 4, 2 * H * W]
