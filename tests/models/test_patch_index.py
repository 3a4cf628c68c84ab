"""The distinct patches, against every pixel's neighbourhood cut out one by one."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models import patch_index as patch_index_module
from oasis_tf.models.patch_index import build_patch_index


def neighbourhood(ids, b, y, x, radius, outside):
    padded = np.pad(ids[b], radius, constant_values=outside)
    return padded[y : y + 2 * radius + 1, x : x + 2 * radius + 1]


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("vectors", [None, 3])
def test_patches_are_the_neighbourhoods_of_the_pixels(rng, scale, vectors):
    label_map = rng.integers(0, 5, (2, 8, 12))
    noise_map = None if vectors is None else rng.integers(0, vectors, label_map.shape)
    patch_index = build_patch_index(
        label_map, 5, [scale], noise_map=noise_map, noise_vectors=vectors or 1
    )
    labels, noise_rows = patch_index.labels.numpy(), patch_index.vectors.numpy()
    patches = patch_index.levels[0]
    patches3, patches5 = patches.patches3.numpy(), patches.patches5.numpy()
    index = patches.index.numpy()
    outside3, outside = len(patches3), len(labels)
    expected_vector = np.arange(2)[:, None, None] * (vectors or 1) + (
        0 if noise_map is None else noise_map
    )
    small_label = label_map[:, ::scale, ::scale]
    small_vector = np.broadcast_to(expected_vector, label_map.shape)[:, ::scale, ::scale]
    for b, y, x in np.ndindex(small_label.shape):
        five = patches5[index[b, y, x]].reshape(3, 3)
        for dy, dx in np.ndindex(3, 3):
            inside = 0 <= y + dy - 1 < small_label.shape[1]
            inside &= 0 <= x + dx - 1 < small_label.shape[2]
            if not inside:
                assert five[dy, dx] == outside3
                continue
            three = patches3[five[dy, dx]].reshape(3, 3)
            want_label = neighbourhood(small_label, b, y + dy - 1, x + dx - 1, 1, -1)
            want_vector = neighbourhood(small_vector, b, y + dy - 1, x + dx - 1, 1, -1)
            np.testing.assert_array_equal(three == outside, want_label == -1)
            seen = three != outside
            np.testing.assert_array_equal(labels[three[seen]], want_label[seen])
            np.testing.assert_array_equal(noise_rows[three[seen]], want_vector[seen])


def test_patches_are_distinct(rng):
    label_map = rng.integers(0, 3, (2, 16, 24))
    patches = build_patch_index(label_map, 3, [1]).levels[0]
    for table in (patches.patches3.numpy(), patches.patches5.numpy()):
        assert len(np.unique(table, axis=0)) == len(table)


def test_a_single_class_has_few_patches():
    # Inside, and outside by 0, 1 or 2 pixels on each side: 5 x 5 positions, if large enough.
    patches = build_patch_index(np.zeros((1, 16, 24), int), 1204, [1]).levels[0]
    assert len(patches.patches3) == 9
    assert len(patches.patches5) == 25


def test_images_never_share_regions():
    patch_index = build_patch_index(np.zeros((3, 4, 8), int), 2, [1])
    assert patch_index.vectors.numpy().tolist() == [0, 1, 2]
    assert len(patch_index.levels[0].patches3) == 27


def test_same_in_a_graph_with_an_unknown_batch(rng):
    label_map = rng.integers(0, 4, (2, 8, 12)).astype(np.int32)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 12), tf.int32)])
    def in_graph(labels):
        return build_patch_index(labels, 4, [1, 2])

    eager, graph = build_patch_index(label_map, 4, [1, 2]), in_graph(label_map)
    for a, b in zip(tf.nest.flatten(eager), tf.nest.flatten(graph), strict=True):
        np.testing.assert_array_equal(a, b)


def test_too_many_distinct_rows_are_an_error_not_a_collision(monkeypatch, rng):
    monkeypatch.setattr(patch_index_module, "_MAX_IDS", 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="smaller batch"):
        build_patch_index(rng.integers(0, 20, (1, 8, 12)), 20, [1])
