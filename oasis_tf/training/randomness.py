"""All random draws of training, as functions of (seed, step, purpose).

There is no random state to save: a resumed run draws what the uninterrupted one would have, and
two replicas draw different parts of what one device with the whole batch would draw.
"""

import enum
import math

import tensorflow as tf

from oasis_tf.random_normals import random_bits, random_normals


class Purpose(enum.IntEnum):
    """What a draw is for; each has a stream of its own."""

    GENERATOR_NOISE = 0
    DISCRIMINATOR_NOISE = 1
    LABELMIX = 2
    STATISTICS = 3
    VALIDATION = 4


def step_noise(shape, seed, step, purpose):
    """Standard normal float32 of the given shape; `step` may be an int64 tensor."""
    count = math.prod(shape)
    return tf.reshape(random_normals(_pair(seed, step, purpose), count), shape)


def step_mask_bits(shape, seed, step):
    """Fair random bits, bool of the given shape: LabelMix draws one per image and class."""
    bits = random_bits(_pair(seed, step, Purpose.LABELMIX), math.prod(shape))
    return tf.reshape(tf.cast(bits % 2, tf.bool), shape)


def replica_part(global_batch):
    """This replica's rows of a tensor that all replicas have whole; of any rank."""
    context = tf.distribute.get_replica_context()
    rows = global_batch.shape[0] // context.num_replicas_in_sync
    start = tf.convert_to_tensor(context.replica_id_in_sync_group) * rows
    return tf.ensure_shape(global_batch[start : start + rows], (rows, *global_batch.shape[1:]))


def _pair(seed, step, purpose):
    stream = tf.cast(step, tf.int64) * len(Purpose) + int(purpose)
    return tf.stack([tf.cast(seed, tf.int64), stream])[None]
