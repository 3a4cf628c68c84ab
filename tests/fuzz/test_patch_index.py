"""PatchIndex, noise and patch convolutions of random pictures, against dense and plain forms."""

import numpy as np
import tensorflow as tf
from hypothesis import assume
from hypothesis import strategies as st

from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend
from oasis_tf.layers import patch_conv as patch_conv_module
from oasis_tf.layers import reference
from oasis_tf.layers.patch_conv import patch_conv
from oasis_tf.layers.spade import SPADE
from oasis_tf.models.patch_index import build_patch_index
from oasis_tf.sampling.noise import class_noise, global_noise, interpolate, segment_noise, within
from oasis_tf.sampling.regions import find_region
from oasis_tf.sampling.segments import find_segments
from tests.fuzz.fuzz import fuzz

SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def label_maps(draw, most_images=2):
    """(int (B, H, W), N): blocks, stripes, noise or one class."""
    shape = draw(st.tuples(st.integers(1, most_images), st.integers(1, 9), st.integers(1, 9)))
    num_classes = draw(st.sampled_from([1, 2, 5, 1204]))
    block = draw(st.sampled_from([1, 2, 9]))
    rng = np.random.default_rng(draw(SEEDS))
    small = rng.integers(0, num_classes, (shape[0], -(-shape[1] // block), -(-shape[2] // block)))
    large = small.repeat(block, 1).repeat(block, 2)
    return large[:, : shape[1], : shape[2]], num_classes


def neighbourhoods(ids, radius):
    """(B, H, W) -> (B, H, W, (2 radius + 1)^2), -1 outside."""
    side = 2 * radius + 1
    padded = np.pad(ids, [(0, 0), (radius, radius), (radius, radius)], constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))
    return windows.reshape(*ids.shape, side * side)


@fuzz(
    30, 1500, picture=label_maps(), vectors=st.integers(0, 3), scale=st.integers(1, 4), seed=SEEDS
)
def test_patches_are_the_neighbourhoods(picture, vectors, scale, seed):
    label_map, num_classes = picture
    noise_map = None
    if vectors:
        noise_map = np.random.default_rng(seed).integers(0, vectors, label_map.shape)
    patch_index = build_patch_index(
        label_map, num_classes, [scale], noise_map=noise_map, noise_vectors=vectors or 1
    )
    labels, rows, (level,) = (
        patch_index.labels.numpy(),
        patch_index.vectors.numpy(),
        patch_index.levels,
    )
    vector = np.arange(len(label_map))[:, None, None] * max(vectors, 1)
    vector = np.broadcast_to(vector + (0 if noise_map is None else noise_map), label_map.shape)
    # One number for label and vector, and what the patch_index says of each neighbour.
    both = (vector * num_classes + label_map)[:, ::scale, ::scale]
    found = np.append(rows * num_classes + labels, -1)
    patches3 = np.vstack([found[level.patches3.numpy()], np.full((1, 9), -1)])
    patches5 = level.patches5.numpy()
    index = level.index.numpy()
    inside = patches5[index] < len(patches3) - 1  # (B, h, w, 9)
    np.testing.assert_array_equal(inside, neighbourhoods(both, 1) >= 0)
    padded = np.pad(neighbourhoods(both, 1), [(0, 0), (1, 1), (1, 1), (0, 0)])
    for tap, (dy, dx) in enumerate(np.ndindex(3, 3)):
        around = padded[:, dy : dy + both.shape[1], dx : dx + both.shape[2]]
        here = inside[..., tap]
        np.testing.assert_array_equal(patches3[patches5[index][..., tap]][here], around[here])
    # Distinct: as many rows as there are different neighbourhoods.
    different = len(np.unique(neighbourhoods(both, 2).reshape(-1, 25), axis=0))
    assert len(patches5) == different


@fuzz(
    10,
    300,
    picture=label_maps(),
    outputs=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    width=st.integers(1, 8),
    at_once=st.integers(1, 30),
    bounded=st.booleans(),
    seed=SEEDS,
)
def test_patch_conv(picture, outputs, width, at_once, bounded, seed):
    rng = np.random.default_rng(seed)
    label_map, num_classes = picture
    level = build_patch_index(label_map, num_classes, [1]).levels[0]
    hidden = tf.constant(rng.normal(size=(len(level.patches3), width)), tf.float32)
    kernels = [tf.constant(rng.normal(size=(3, 3, width, n)), tf.float32) for n in outputs]
    before = patch_conv_module.chunk_bytes
    patch_conv_module.chunk_bytes = lambda what: at_once * 9 * width * 4
    try:
        at_most = label_map.size if bounded else None
        results = patch_conv(hidden, level.patches5, kernels, at_most=at_most)
    finally:
        patch_conv_module.chunk_bytes = before
    grid = tf.gather(hidden, tf.gather(level.patches5[:, 4], level.index))
    for result, kernel in zip(results, kernels, strict=True):
        expected = tf.nn.conv2d(grid, kernel, 1, "SAME")
        actual = tf.gather(result, level.index)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


@fuzz(
    6,
    200,
    picture=label_maps(),
    vectors=st.integers(0, 3),
    channels=st.integers(1, 12),
    seed=SEEDS,
)
def test_spade_is_the_dense_one(picture, vectors, channels, seed):
    rng = np.random.default_rng(seed)
    label_map, num_classes = picture
    num_classes = min(num_classes, 9)
    label_map = tf.constant(label_map % num_classes, tf.int32)
    noise_map = None
    if vectors:
        noise_map = tf.constant(rng.integers(0, vectors, label_map.shape), tf.int32)
    shape = (len(label_map), *([vectors] if vectors else []), 3)
    noise = tf.constant(rng.normal(size=shape), tf.float32)
    patch_index = build_patch_index(
        label_map, num_classes, [1], noise_map=noise_map, noise_vectors=vectors or 1
    )
    layer = SPADE(channels, num_classes, 3, hidden=8, gain=1.0)
    x = tf.constant(rng.normal(size=(*label_map.shape, channels)), tf.float32)
    actual = layer(x, patch_index.with_noise(tf.reshape(noise, (-1, 3)))[0], training=True)
    expected = reference.spade(
        layer, x, reference.conditioning(label_map, noise, noise_map, num_classes=num_classes)
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


def pixels(noise, shape):
    """The vector of each pixel, (B, H, W, Z)."""
    vectors = noise.noise.numpy()
    if noise.noise_map is None:
        return np.broadcast_to(vectors[:, None, None], (*shape, vectors.shape[-1]))
    pictures = np.arange(shape[0])[:, None, None]
    return vectors[pictures, noise.noise_map.numpy()]


@fuzz(8, 300, picture=label_maps(), seed=SEEDS, other=SEEDS, mask=SEEDS, t=st.floats(0, 1))
def test_noise_of_pictures_classes_segments_and_regions(picture, seed, other, mask, t):
    label_map, num_classes = picture
    shape, seeds = label_map.shape, [seed, other][: len(label_map)]
    assume(num_classes <= 5 or shape[0] == 1)
    for draw in (
        lambda s, m: global_noise(s, 4),
        lambda s, m: class_noise(s, m, num_classes, 4),
        lambda s, m: segment_noise(s, m, 4),
    ):
        noise = draw(seeds, label_map)
        together = pixels(noise, shape)
        for i in range(shape[0]):  # alone as in the batch
            alone = pixels(draw(seeds[i : i + 1], label_map[i : i + 1]), (1, *shape[1:]))
            np.testing.assert_array_equal(together[i : i + 1], alone)
        inside = np.random.default_rng(mask).random(shape) < 0.5
        edited = within(noise, global_noise(seeds[::-1], 4), inside)
        expected = np.where(
            inside[..., None], pixels(global_noise(seeds[::-1], 4), shape), together
        )
        np.testing.assert_array_equal(pixels(edited, shape), expected)
        same_map = noise._replace(noise=noise.noise[..., ::-1])
        ends = [interpolate(noise, same_map, at) for at in (0.0, 1.0)]
        np.testing.assert_allclose(ends[0].noise, noise.noise, atol=1e-4)
        np.testing.assert_allclose(ends[1].noise, same_map.noise, atol=1e-4)
        assert np.isfinite(interpolate(noise, same_map, t).noise).all()


@fuzz(
    30, 1000, picture=label_maps(most_images=1), name=st.text(max_size=6), number=st.integers(-1, 5)
)
def test_segments_and_regions(picture, name, number):
    label_map, num_classes = picture[0][0] % 5, min(picture[1], 5)
    segments = find_segments(label_map)
    # Flood fill, in reading order within each class.
    seen, counts = np.zeros(label_map.shape, bool), {}
    for start in np.ndindex(label_map.shape):
        if seen[start]:
            continue
        label, todo, part = label_map[start], [start], np.zeros(label_map.shape, bool)
        while todo:
            y, x = todo.pop()
            near = 0 <= y < label_map.shape[0] and 0 <= x < label_map.shape[1]
            if near and not part[y, x] and label_map[y, x] == label:
                part[y, x] = True
                todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
        seen |= part
        counts[label] = counts.get(label, 0) + 1
        segment = segments.segment_map[start]
        np.testing.assert_array_equal(segments.segment_map == segment, part)
        assert (segments.classes[segment], segments.numbers[segment]) == (label, counts[label])
    assert len(segments.classes) == sum(counts.values())
    legend = Legend(tuple(f"class {i}" for i in range(num_classes)), ((0, 0, 0),) * num_classes)
    for entry in (name, f"{name}#{number}", f"class {number}", f"class 0#{number}", number):
        try:
            region = find_region(label_map, legend, classes=entry)
        except DataError:
            continue
        assert region.shape == label_map.shape and region.any()
        assert len(np.unique(label_map[region])) == 1
