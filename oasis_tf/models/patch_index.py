"""From a label map and a noise map to distinct patches: the algebra that makes SPADE cheap.

A label map is piecewise constant, so among the 3x3 and 5x5 neighbourhoods of a picture few are
distinct (5% of the pixels of an ADE20K picture at 256x256). Whatever is a function of such a
neighbourhood is computed once per distinct patch and handed to the pixels by a gather: exact,
differentiable, and independent of the number of classes.
"""

from typing import NamedTuple

import tensorflow as tf

# Three ids are packed into one int64 key, base (ids + 1), so that keys never collide.
_MAX_IDS = 2**21 - 2


class Patches(NamedTuple):
    """The distinct neighbourhoods of one resolution.

    Attributes:
        patches3: int32 (P, 9), the distinct 3x3 patches as region ids in [0, R], row by row;
            R stands for "outside of the picture".
        patches5: int32 (Q, 9), the distinct 5x5 patches, each as the 3x3 grid of the `patches3`
            ids of its nine inner pixels, in [0, P]; P stands for "outside of the picture".
        index: int32 (B, h, w), which row of `patches5` each pixel takes.
    """

    patches3: tf.Tensor
    patches5: tf.Tensor
    index: tf.Tensor


class Conditioning(NamedTuple):
    """What SPADE is given beside its input: label map and noise at one resolution.

    Attributes:
        labels: int32 (R,), the class of each region.
        vectors: int32 (R,), the row of `noise` each region takes.
        noise: float32 (B * K, Z), the noise vectors of the batch.
        patches: `Patches` of this resolution.
    """

    labels: tf.Tensor
    vectors: tf.Tensor
    noise: tf.Tensor
    patches: Patches


class PatchIndex(NamedTuple):
    """Where things are in a batch of label maps: the regions and their distinct patches.

    It does not know the values of the noise vectors, so one index serves several noises.

    A region is a set of pixels of one image with one label and one noise vector.

    Attributes:
        labels: int32 (R,), the class of each region.
        vectors: int32 (R,), the row of the (B * K, Z) noise table each region takes.
        levels: the `Patches` of each resolution, in the order of the scales asked for.
    """

    labels: tf.Tensor
    vectors: tf.Tensor
    levels: tuple[Patches, ...]

    def with_noise(self, noise):
        """The `Conditioning` of each level, given the noise, float32 (B * K, Z)."""
        return [Conditioning(self.labels, self.vectors, noise, level) for level in self.levels]


def build_patch_index(label_map, num_classes, scales, *, noise_map=None, noise_vectors=1):
    """Finds the regions of a batch and their distinct patches at several resolutions.

    Args:
        label_map: int (B, H, W), ids in [0, num_classes).
        num_classes: N, unlabelled included.
        scales: the factors s by which the resolutions are smaller; each keeps the pixels
            0, s, 2s, ... of both axes, as nearest downsampling in the released models does.
        noise_map: int (B, H, W) in [0, noise_vectors), which of an image's noise vectors each
            pixel takes. Defaults to None: every pixel takes the image's only vector.
        noise_vectors: K, noise vectors per image (an int or an int scalar tensor).

    Returns:
        A `PatchIndex` with `len(scales)` levels.

    Raises:
        tf.errors.InvalidArgumentError: an id outside its range (on CPU; on GPU such ids are
            undefined), or so many distinct rows that the packed keys could collide.

    >>> patch_index = build_patch_index(tf.constant([[[0, 1], [0, 1]]]), num_classes=2, scales=[1])
    >>> patch_index.labels.numpy().tolist()
    [0, 1]
    >>> patch_index.levels[0].index.shape.as_list()
    [1, 2, 2]
    """
    label_map = tf.cast(label_map, tf.int64)
    num_classes = tf.cast(num_classes, tf.int64)
    noise_vectors = tf.cast(noise_vectors, tf.int64)
    images = tf.range(tf.shape(label_map, tf.int64)[0])[:, None, None]
    vector = images * noise_vectors
    if noise_map is not None:
        vector += tf.cast(noise_map, tf.int64)
    regions, region_map = tf.unique(tf.reshape(vector * num_classes + label_map, [-1]))
    region_map = tf.reshape(region_map, tf.shape(label_map))
    region_map = tf.ensure_shape(region_map, label_map.shape)
    num_regions = tf.size(regions)
    return PatchIndex(
        labels=tf.cast(regions % num_classes, tf.int32),
        vectors=tf.cast(regions // num_classes, tf.int32),
        levels=tuple(_distinct(region_map[:, ::s, ::s], num_regions) for s in scales),
    )


def _distinct(region_map, num_regions):
    patches3, index3 = _distinct3x3(region_map, num_regions)
    patches5, index5 = _distinct3x3(index3, tf.shape(patches3)[0])
    return Patches(patches3, patches5, index5)


def _distinct3x3(ids, num_ids):
    """Distinct 3x3 patches of an id map: ((P, 9) int32 ids, (B, h, w) int32 index into them)."""
    padded = tf.pad(ids, [[0, 0], [1, 1], [1, 1]], constant_values=num_ids)
    with tf.control_dependencies([_assert_packable(num_ids)]):
        base = tf.cast(num_ids, tf.int64) + 1
    p = tf.cast(padded, tf.int64)
    rows = _pack(p[:, :, :-2], p[:, :, 1:-1], p[:, :, 2:], base)  # (B, h+2, w)
    row_keys, row_index = tf.unique(tf.reshape(rows, [-1]))
    with tf.control_dependencies([_assert_packable(tf.size(row_keys))]):
        row_base = tf.cast(tf.size(row_keys), tf.int64) + 1
    r = tf.cast(tf.reshape(row_index, tf.shape(rows)), tf.int64)
    columns = _pack(r[:, :-2], r[:, 1:-1], r[:, 2:], row_base)  # (B, h, w)
    patch_keys, index = tf.unique(tf.reshape(columns, [-1]))
    triples = tf.gather(row_keys, _unpack(patch_keys, row_base))  # (P, 3) keys of rows
    patches = tf.reshape(_unpack(triples, base), [-1, 9])
    index = tf.ensure_shape(tf.reshape(index, tf.shape(ids)), ids.shape)
    return tf.cast(patches, tf.int32), index


def _pack(a, b, c, base):
    return (a * base + b) * base + c


def _unpack(keys, base):
    """Inverse of `_pack`: (...) int64 keys to (..., 3)."""
    return tf.stack([keys // (base * base), keys // base % base, keys % base], axis=-1)


def _assert_packable(count):
    return tf.debugging.assert_less_equal(
        count,
        _MAX_IDS,
        message=f"At most {_MAX_IDS} distinct rows of a label map fit in one batch; "
        "use a smaller batch on each device.",
    )
