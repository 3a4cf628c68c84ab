"""Counts of patches against closed forms and against `oasis_tf.models.patch_index`."""

import numpy as np
import tensorflow as tf

from benchmarks import labels
from oasis_tf.models.patch_index import build_patch_index

H, W = 64, 128


def test_one_class_by_hand():
    (label_map,) = labels.single_class([tf.zeros((1, H, W), tf.int32)])
    counts = labels.count_patches(label_map)
    assert counts.regions == 1
    # Three kinds of rows times three of columns (first, inner, last); with 5x5 five of each.
    assert counts.levels[1] == (H * W, 9, 25)
    # 2 x 4 pixels: rows are first and last; columns all differ for 5x5, three kinds for 3x3.
    assert counts.levels[32] == (8, 2 * 3, 2 * 4)
    shares = labels.shares([counts, counts], (H, W))
    assert list(shares) == ["64x128", "32x64", "16x32", "8x16", "4x8", "2x4"]
    assert shares["2x4"] == 1.0


def test_counts_equal_the_layout(rng):
    label_map = np.repeat(np.repeat(rng.integers(0, 3, (2, H // 8, W // 8)), 8, 1), 8, 2)
    scales = (4, 1)
    counts = labels.count_patches(label_map, scales)
    patch_index = build_patch_index(tf.constant(label_map), 3, scales)
    assert counts.regions == len(patch_index.labels)
    for scale, patches in zip(scales, patch_index.levels, strict=True):
        pixels = label_map[:, ::scale, ::scale].size
        assert counts.levels[scale] == (pixels, len(patches.patches3), len(patches.patches5))


def test_random_labels_do_not_repeat():
    (label_map,) = labels.random_maps([tf.zeros((1, H, W), tf.int32)], 1204)
    assert label_map.shape == (1, H, W)
    assert 0 <= label_map.numpy().min() and label_map.numpy().max() == 1203
    assert labels.count_patches(label_map).levels[1] == (H * W, H * W, H * W)


def test_recorded(records):
    batches = labels.recorded(records, 2, batch_size=3)
    assert [b["image"].shape for b in batches] == [(3, H, W, 3)] * 2
    assert batches[0]["label_map"].shape == (3, H, W)
