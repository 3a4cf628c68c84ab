"""Label maps to measure on: recorded ones, the two worst cases, and how far patches repeat."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.plain import GENERATOR_SCALES
from data_pipeline.reading.reader import train_dataset

__all__ = ["PatchCounts", "count_patches", "random_maps", "recorded", "shares", "single_class"]


class PatchCounts(NamedTuple):
    """What one batch of label maps consists of.

    Attributes:
        regions: number of distinct pairs of image and label.
        levels: dict from scales to (pixels, distinct 3x3 patches, distinct 5x5 patches).
    """

    regions: int
    levels: dict[int, tuple[int, int, int]]


def recorded(data_dir, count, batch_size=1):
    """The first batches of the training stream.

    Returns:
        list of `count` dicts of `image` float32 (B, h, w, 3) and `label_map` int32 (B, h, w).
    """
    # A small buffer, for its memory would be measured too.
    stream = train_dataset(data_dir, batch_size=batch_size, seed=0, shuffle_buffer=16)
    return list(stream.take(count))


def random_maps(like, num_classes, seed=0):
    """An independent label at every pixel: no two patches are alike. Shapes as in `like`."""
    rng = np.random.default_rng(seed)
    return [tf.constant(rng.integers(0, num_classes, x.shape), tf.int32) for x in like]


def single_class(like):
    """One label everywhere: no patches but those at the borders. Shapes as in `like`."""
    return [tf.ones_like(x) for x in like]


def count_patches(label_map, scales=GENERATOR_SCALES):
    """Counts what `oasis_tf.models.patch_index` finds, without it.

    Args:
        label_map: int (B, h, w).
        scales: the factors by which the resolutions are smaller.

    Returns:
        `PatchCounts`.
    """
    label_map = np.asarray(label_map)
    levels = {}
    for scale in scales:
        maps = label_map[:, ::scale, ::scale]
        distinct = (sum(_distinct(x, size) for x in maps) for size in (3, 5))
        levels[scale] = (maps.size, *distinct)
    return PatchCounts(sum(len(np.unique(x)) for x in label_map), levels)


def _distinct(label_map, size):
    padded = np.pad(label_map, size // 2, constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    rows = np.ascontiguousarray(windows.reshape(-1, size * size), np.int32)
    # As one string of bytes a row, which sorts faster than rows of numbers.
    return len(np.unique(rows.view(f"V{rows.itemsize * size * size}")))


def shares(counts, size):
    """Share of distinct 5x5 patches among the pixels, the mean over batches.

    Args:
        counts: list of `PatchCounts`.
        size: (height, width) of the label maps.

    Returns:
        dict from "HxW" to floats in [0, 1], finest resolution first.
    """
    height, width = size
    return {
        f"{height // scale}x{width // scale}": float(
            np.mean([count.levels[scale][2] / count.levels[scale][0] for count in counts])
        )
        for scale in sorted(counts[0].levels)
    }
