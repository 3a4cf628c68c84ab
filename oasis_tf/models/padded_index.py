"""Patch indices of few sizes, for what is compiled once for each size."""

import tensorflow as tf

from oasis_tf.models.patch_index import PatchIndex

__all__ = ["EVERYTHING", "SHARES", "pad_together"]

# Patches that occur once lie along the borders of regions. Half the resolution has half their
# length and a quarter of the pixels, so patches that take a share t of the pixels of a picture take
# s t of those at scale s. One share therefore says the size of every level, and these are the ones
# there are: at most thirteen programs, of which a data set meets two or three.
SHARES = tuple(2 ** (-k / 2) for k in range(12, -1, -1))
# Room for as many patches as there are pixels, which is always enough: one program.
EVERYTHING = (1.0,)


def pad_together(patch_indices, regions_per_image=None, shares=None):
    """Gives patch indices of batches of one shape the same sizes; what they stand for stays.

    Rows that nobody refers to are added: "outside of the picture" has another number then.

    Args:
        patch_indices: list of `PatchIndex` of equally many images of one size.
        regions_per_image: the most that there can be, N * K; for `shares`.
        shares: rising floats, the last of them 1: the patches of a level of scale s are padded to
            the smallest of s * share * pixels that holds all of its levels' patches, at most all
            pixels; regions to the next power of two, at most to what the images can have, or with
            `EVERYTHING` to that. Defaults to None: to the largest of the indices.

    Returns:
        list of `PatchIndex`, padded.
    """
    regions = _largest(x.labels for x in patch_indices)
    levels = zip(*(x.levels for x in patch_indices), strict=True)
    sizes = [[_largest(p) for p in zip(*(x[:2] for x in level), strict=True)] for level in levels]
    if shares is not None:
        capacities = _capacities([x.index for x in patch_indices[0].levels], shares)
        # A 5x5 patch has one 3x3 patch in its middle: of these there are never more.
        needed = tf.stack([patches5 for _, patches5 in sizes])
        holds = tf.reduce_all(needed <= capacities, axis=1)
        chosen = tf.unstack(tf.gather(capacities, tf.argmax(holds)))
        sizes = [(size, size) for size in chosen]
        regions = _regions(regions, patch_indices[0].levels, regions_per_image, shares)
    return [_pad(x, regions, sizes) for x in patch_indices]


def _largest(tensors):
    return tf.reduce_max(tf.stack([tf.shape(x)[0] for x in tensors]))


def _capacities(grids, shares):
    """int32 (shares, levels): rows of the patches of each level, given their (B, h, w) indices."""
    pixels = tf.stack([tf.size(grid) for grid in grids])
    heights = tf.stack([tf.shape(grid)[1] for grid in grids])
    scales = tf.cast(tf.reduce_max(heights) // heights, tf.float64)
    share = tf.minimum(tf.constant(shares, tf.float64)[:, None] * scales, 1)
    return tf.cast(tf.math.ceil(share * tf.cast(pixels, tf.float64)), tf.int32)


def _regions(count, levels, per_image, shares):
    images = tf.shape(levels[0].index)[0]
    most = tf.minimum(images * per_image, tf.reduce_max([tf.size(x.index) for x in levels]))
    if shares == EVERYTHING:
        return most
    powers = tf.constant([2**k for k in range(31)])
    return tf.minimum(powers[tf.argmax(powers >= count)], most)


def _pad(patch_index, regions, sizes):
    labels, vectors = (_grown(x, regions, 0) for x in (patch_index.labels, patch_index.vectors))
    outside = tf.size(patch_index.labels)
    levels = []
    for level, (size3, size5) in zip(patch_index.levels, sizes, strict=True):
        outside3 = tf.shape(level.patches3)[0]
        patches3 = tf.where(level.patches3 == outside, regions, level.patches3)
        patches5 = tf.where(level.patches5 == outside3, size3, level.patches5)
        levels.append(
            level._replace(
                patches3=_grown(patches3, size3, regions), patches5=_grown(patches5, size5, size3)
            )
        )
    return PatchIndex(labels, vectors, tuple(levels))


def _grown(x, size, value):
    paddings = [[0, size - tf.shape(x)[0]], *[[0, 0]] * (x.shape.rank - 1)]
    return tf.pad(x, paddings, constant_values=value)
