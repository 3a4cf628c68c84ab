"""The patch index of a batch, found beside the step and not in it.

It takes `tf.unique`, of results of unknown size: a GPU would wait for the host, and XLA would
compile anew for every batch. In the input pipeline it is made on the CPU while the step before
runs.
"""

import functools

import tensorflow as tf

from oasis_tf.models.generator import SCALES
from oasis_tf.models.padded_index import pad_together
from oasis_tf.models.patch_index import build_patch_index


def with_patch_index(dataset, num_classes, **options):
    """A `tf.data.Dataset` of batches with their patch indices, made ahead of the step.

    Args:
        dataset: of a replica's batches.
        num_classes, **options: of `add_patch_index`.
    """
    add = functools.partial(add_patch_index, num_classes=num_classes, **options)
    return dataset.map(add, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def add_patch_index(batch, num_classes, *, micro_batches=1, shares=None):
    """Finds the distinct patches of a replica's batch.

    Args:
        batch: dict with `label_map`, int (B, H, W), ids in [0, N).
        num_classes: N, unlabelled included.
        micro_batches: M, into how many parts of some rows each the step cuts the batch.
        shares: how sizes are rounded up, see `pad_together`. Defaults to None: not at all.

    Returns:
        the dict with `patch_index` beside the rest: a `PatchIndex`; where M is more than 1, one
        whose tensors have a leading axis of the M parts.
    """
    parts = [
        build_patch_index(part, num_classes, SCALES)
        for part in tf.split(batch["label_map"], micro_batches)
    ]
    if micro_batches > 1 or shares is not None:
        parts = pad_together(parts, num_classes, shares)
    patch_index = parts[0]
    if micro_batches > 1:
        patch_index = tf.nest.map_structure(lambda *tensors: tf.stack(tensors), *parts)
    return {**batch, "patch_index": patch_index}
