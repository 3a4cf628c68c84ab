"""Noise is a function of its seed, and of nothing else; regions take what they are told to."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.random_normals import random_normals
from oasis_tf.sampling.noise import (
    class_noise,
    global_noise,
    interpolate,
    segment_noise,
    within,
)
from oasis_tf.sampling.seeds import MAX_SEED

N, Z = 4, 8
LABEL_MAP = np.array([[[0, 0, 1], [1, 0, 3]], [[2, 2, 2], [2, 1, 2]]])  # (2, 2, 3)


def drawn(seed, key):
    """The vector of a (seed, key)."""
    return random_normals(tf.constant([[seed, key]], tf.int64), Z)[0]


def test_vectors_are_those_of_their_seeds_and_keys():
    noise = global_noise([7, MAX_SEED], Z).noise
    np.testing.assert_array_equal(noise, [drawn(7, 0), drawn(MAX_SEED, 0)])
    noise = class_noise([7, 9], LABEL_MAP, N, Z).noise
    np.testing.assert_array_equal(noise[1, 2], drawn(9, 2**60 + 2))
    # The second segment of class 1 in the first picture is its last but one in the list.
    noise = segment_noise([7, 9], LABEL_MAP, Z)
    index = noise.noise_map[0, 1, 0]
    np.testing.assert_array_equal(noise.noise[0, index], drawn(7, 2 * 2**60 + 2**32 + 2))


def test_numbers_never_change():
    """Pictures that people have kept the seeds of: these were drawn once, and must stay."""
    np.testing.assert_allclose(global_noise([1], 3).noise, [FIRST_OF_SEED_1], rtol=1e-6)


FIRST_OF_SEED_1 = [0.38040075, -0.29627788, -0.24923342]


def pixelwise(noise):
    """float (B, H, W, Z): the vector of each pixel."""
    return tf.gather(noise.noise, noise.noise_map, batch_dims=1).numpy()


@pytest.mark.parametrize("draw", ["global", "class", "segment"])
def test_alone_and_in_a_batch(draw):
    def make(seeds, label_map):
        if draw == "global":
            return global_noise(seeds, Z).noise.numpy()
        if draw == "class":
            return pixelwise(class_noise(seeds, label_map, N, Z))
        return pixelwise(segment_noise(seeds, label_map, Z))

    both = make([3, 4], LABEL_MAP)
    np.testing.assert_array_equal(both[1:], make([4], LABEL_MAP[1:]))
    assert np.abs(both[0] - both[1]).min() > 0


def test_inside_a_graph_and_on_another_device():
    expected = global_noise([3, 4], Z).noise
    graph = tf.function(lambda seeds: global_noise(seeds, Z).noise, autograph=False)
    np.testing.assert_array_equal(graph(tf.constant([3, 4])), expected)
    with tf.device("CPU:1"):
        np.testing.assert_array_equal(global_noise([3, 4], Z).noise, expected)


def test_classes_and_segments_have_vectors_of_their_own():
    by_class = pixelwise(class_noise([3, 4], LABEL_MAP, N, Z))
    by_segment = pixelwise(segment_noise([3, 4], LABEL_MAP, Z))
    np.testing.assert_array_equal(by_class[0, 0, 2], by_class[0, 1, 0])  # both of class 1
    assert (by_segment[0, 0, 2] != by_segment[0, 1, 0]).all()  # but do not touch
    np.testing.assert_array_equal(by_segment[0, 0, 0], by_segment[0, 1, 1])
    vectors = {v.tobytes() for v in np.concatenate([by_class, by_segment]).reshape(-1, Z)}
    # Classes 0, 1, 3 | 1, 2 and segments 0, 1, 1', 3 | 1, 2: none of them alike.
    assert len(vectors) == 5 + 6


def test_vectors_are_standard_normal():
    values = class_noise(range(50), np.zeros((50, 1, 1)), N, 64).noise.numpy().ravel()
    assert abs(values.mean()) < 4 / np.sqrt(values.size)
    assert abs(values.var() - 1) < 4 * np.sqrt(2 / values.size)


def test_within_a_mask():
    mask = np.zeros(LABEL_MAP.shape, bool)
    mask[0, 1] = mask[1, :, 2] = True
    noise, other = global_noise([3, 4], Z), class_noise([5, 6], LABEL_MAP, N, Z)
    edited = within(noise, other, mask)
    assert edited.noise.shape == (2, 1 + N, Z)
    whole = np.broadcast_to(noise.noise[:, None, None], (2, 2, 3, Z))
    expected = np.where(mask[..., None], pixelwise(other), whole)
    np.testing.assert_array_equal(pixelwise(edited), expected)


def test_interpolation():
    a, b = global_noise([1], Z), global_noise([2], Z)
    for linear in (False, True):
        np.testing.assert_allclose(interpolate(a, b, 0.0, linear=linear).noise, a.noise, rtol=1e-6)
        np.testing.assert_allclose(interpolate(a, b, 1.0, linear=linear).noise, b.noise, rtol=1e-6)
        # On no way at all one stays where one is, in length too.
        still = interpolate(a, a, 0.3, linear=linear).noise
        np.testing.assert_allclose(still, a.noise, rtol=1e-5)
    line = interpolate(a, b, 0.25, linear=True).noise
    np.testing.assert_allclose(line, 0.75 * a.noise + 0.25 * b.noise, rtol=1e-6)


def test_the_arc_turns_evenly_and_keeps_the_length():
    a, b = (type(global_noise([0], 2))(tf.constant([v])) for v in ([2.0, 0.0], [0.0, 2.0]))
    for t in (0.25, 0.5):
        angle = t * np.pi / 2
        expected = [[2 * np.cos(angle), 2 * np.sin(angle)]]
        np.testing.assert_allclose(interpolate(a, b, t).noise, expected, rtol=1e-5)
