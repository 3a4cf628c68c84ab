"""3D noise as a function of seeds: one vector per picture, class or segment; edits and blends.

Every vector depends on the pair (seed, what it is for) alone (`oasis_tf.random_normals`). So the
vectors of seed s are the same alone and in a batch, today and tomorrow, whatever else is drawn, and
on every device and engine.
"""

import enum
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from oasis_tf.random_normals import random_normals
from oasis_tf.sampling.segments import find_segments


class Noise(NamedTuple):
    """What the generator takes beside the label map: `generator(label_map, *noise)`.

    Attributes:
        noise: float32 (B, Z), one vector per picture, or (B, K, Z) with a `noise_map`.
        noise_map: int32 (B, H, W) in [0, K), which of a picture's vectors each pixel takes.
    """

    noise: tf.Tensor
    noise_map: tf.Tensor | None = None


class _Use(enum.IntEnum):
    """What a vector is for; the high bits of its key, so that no two uses share numbers."""

    PICTURE = 0
    CLASS = 1
    SEGMENT = 2


def global_noise(seeds, channels):
    """One vector per picture.

    Args:
        seeds: int (B,), in [0, 2^31); may be a tensor inside a graph.
        channels: Z.

    Returns:
        `Noise` of (B, Z), without a map.

    >>> batch, alone = global_noise([5, 6], 4), global_noise([6], 4)
    >>> bool(tf.reduce_all(batch.noise[1:] == alone.noise))
    True
    """
    seeds = tf.cast(seeds, tf.int64)
    return Noise(_vectors(seeds, tf.fill(tf.shape(seeds), _key(_Use.PICTURE, 0)), channels))


def class_noise(seeds, label_map, num_classes, channels):
    """One vector per class of each picture.

    Args:
        seeds: int (B,), in [0, 2^31).
        label_map: int (B, H, W), ids in [0, N).
        num_classes: N.
        channels: Z.

    Returns:
        `Noise` of (B, N, Z), whose map is the label map.
    """
    seeds = tf.cast(seeds, tf.int64)
    keys = _key(_Use.CLASS, tf.range(num_classes, dtype=tf.int64))  # (N,)
    pictures = tf.shape(seeds)[0]
    vectors = _vectors(tf.repeat(seeds, num_classes), tf.tile(keys, [pictures]), channels)
    shape = (pictures, num_classes, channels)
    return Noise(tf.reshape(vectors, shape), tf.cast(label_map, tf.int32))


def segment_noise(seeds, label_map, channels):
    """One vector per connected segment of each picture (`oasis_tf.sampling.segments`).

    A segment's vector belongs to its class and its number within the class.

    Args:
        seeds: int (B,), in [0, 2^31).
        label_map: int array (B, H, W), on the host.
        channels: Z.

    Returns:
        `Noise` of (B, K, Z), K = the most segments a picture of the batch has.
    """
    found = [find_segments(picture) for picture in np.asarray(label_map)]
    most = max(len(segments.classes) for segments in found)
    vectors = []
    for seed, segments in zip(np.asarray(seeds, np.int64), found, strict=True):
        keys = _key(_Use.SEGMENT, (segments.classes.astype(np.int64) << 32) + segments.numbers)
        drawn = _vectors(tf.fill([len(keys)], tf.constant(seed)), tf.constant(keys), channels)
        vectors.append(tf.pad(drawn, [[0, most - len(keys)], [0, 0]]))
    noise_map = np.stack([segments.segment_map for segments in found])
    return Noise(tf.stack(vectors), tf.constant(noise_map, tf.int32))


def within(noise, other, mask):
    """`other` inside of a mask of any shape, `noise` outside: the noise of an edited region.

    Args:
        noise: `Noise` of the picture, (B, Z) or (B, K, Z).
        other: `Noise` that the region takes, (B, Z) or (B, L, Z).
        mask: bool (B, H, W), True where the picture is edited.

    Returns:
        `Noise` of (B, K + L, Z).

    >>> mask = tf.constant([[[True, False]]])
    >>> edited = within(global_noise([1], 4), global_noise([2], 4), mask)
    >>> edited.noise.shape, edited.noise_map.numpy().tolist()
    (TensorShape([1, 2, 4]), [[[1, 0]]])
    """
    mask = tf.cast(mask, tf.bool)
    noise, other = _with_map(noise, mask), _with_map(other, mask)
    first = tf.shape(noise.noise)[1]
    noise_map = tf.where(mask, first + other.noise_map, noise.noise_map)
    return Noise(tf.concat([noise.noise, other.noise], axis=1), noise_map)


def interpolate(noise, other, t, *, linear=False):
    """The way from one noise to another, each vector by itself.

    Args:
        noise: `Noise` at t = 0.
        other: `Noise` at t = 1, with the same map.
        t: float in [0, 1].
        linear: on the straight line, on which vectors half way are shorter than any the
            generator has learnt from. Defaults to False: on the arc (Shoemake 1985), on which
            the length, too, goes gradually from one to the other.

    Returns:
        `Noise` of the same shapes.
    """
    a, b = noise.noise, other.noise
    if linear:
        return Noise((1 - t) * a + t * b, noise.noise_map)
    cosine = tf.reduce_sum(_direction(a) * _direction(b), axis=-1, keepdims=True)
    angle = tf.acos(tf.clip_by_value(cosine, -1, 1))
    # On an arc of no length the line is the arc.
    curved = tf.sin(angle) > 1e-4
    sine = tf.where(curved, tf.sin(angle), 1)
    share_a = tf.where(curved, tf.sin((1 - t) * angle) / sine, 1 - t)
    share_b = tf.where(curved, tf.sin(t * angle) / sine, t)
    return Noise(share_a * a + share_b * b, noise.noise_map)


def _key(use, index):
    return (int(use) << 60) + index


def _direction(vectors):
    return tf.math.divide_no_nan(vectors, tf.norm(vectors, axis=-1, keepdims=True))


def _with_map(noise, mask):
    if noise.noise_map is not None:
        return noise
    return Noise(noise.noise[:, None], tf.zeros(tf.shape(mask), tf.int32))


_draw = tf.function(random_normals, autograph=False, reduce_retracing=True)


def _vectors(seeds, keys, channels):
    """Row i is the vector of (seeds[i], keys[i]): int64 (n,) each -> float32 (n, Z)."""
    drawn = _draw(tf.stack([seeds, tf.cast(keys, tf.int64)], axis=-1), channels)
    return tf.ensure_shape(drawn, (None, channels))
