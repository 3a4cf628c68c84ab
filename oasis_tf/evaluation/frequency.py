"""How many training pictures hold each class, and the groups that LVIS makes of that."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from data_pipeline.records.manifest import Manifest
from data_pipeline.records.schema import parse

# A class is rare in up to 10 pictures, common in up to 100 (Gupta et al., CVPR 2019).
_RARE, _COMMON = 10, 100


def picture_counts(data_dir, split="train"):
    """Pictures of a split that hold each class: int64 (N,)."""
    manifest = Manifest.read(data_dir)
    files = [str(Path(data_dir) / shard.name) for shard in manifest.splits[split].shards]
    # The photographs are not asked for, so TensorFlow does not decode them.
    label_maps = tf.data.TFRecordDataset(files).map(
        lambda record: parse(record)["label_map"], num_parallel_calls=tf.data.AUTOTUNE
    )
    counts = np.zeros(manifest.num_classes, np.int64)
    for label_map in label_maps.prefetch(tf.data.AUTOTUNE):
        counts[np.unique(label_map)] += 1
    return counts


def frequency_groups(counts):
    """{"frequent", "common", "rare": class ids} of the classes that occur, unlabelled apart.

    >>> frequency_groups([500, 3, 101, 100, 0, 11])
    {'frequent': [2], 'common': [3, 5], 'rare': [1]}
    """
    groups = {"frequent": [], "common": [], "rare": []}
    for i, count in enumerate(counts):
        if i and count:
            name = "rare" if count <= _RARE else "common" if count <= _COMMON else "frequent"
            groups[name].append(i)
    return groups
