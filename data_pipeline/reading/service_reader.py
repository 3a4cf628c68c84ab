"""What `reader.py` gives, read by the workers of a tf.data service.

The order of a stream is that in which the workers come to it. Otherwise it is `reader.py`'s: the
shards of an epoch in random order, each handed to one worker, its records shuffled.
"""

import tensorflow as tf

from data_pipeline.errors import DataError
from data_pipeline.reading.reader import (
    READ_BYTES,
    eval_batches,
    eval_example,
    finish,
    open_split,
    random_order,
    train_example,
)

# First of the two ints of a stateless seed, added to it, so that no two uses share numbers.
_SHARDS, _RECORDS, _AUGMENT = 3, 4, 5


def service_train_dataset(data_dir, *, service, batch_size, seed, start=0, split="train"):
    """Reads a split for ever through a tf.data service, shuffled, cropped and flipped at random.

    Every image comes once an epoch, as long as no worker is lost: with a worker the rest of its
    shard is lost for that epoch, and no image comes twice. Which crop an image gets in which epoch
    depends on the data, `seed` and `start` alone; the order depends on the workers too.

    Args:
        data_dir: directory built by `python -m data_pipeline.build`; workers read it by the same
            path.
        service: `grpc://HOST:PORT` of the dispatcher.
        batch_size: B.
        seed: int.
        start: number of examples that were trained on. A new epoch begins here, of another order
            than with another `start`.
        split: name of the split.

    Returns:
        infinite tf.data.Dataset of {"image": float32 (B, h, w, 3) in [-1, 1], "label_map": int32
        (B, h, w), ids in [0, N)}.

    Raises:
        DataError: as for `train_dataset`.
    """
    manifest, files = open_split(data_dir, split, batch_size, whole_batch=True)
    shards = manifest.splits[split].shards
    most = max(shard.examples for shard in shards)
    seed, start = tf.constant(seed, tf.int64), tf.constant(start, tf.int64)

    def key(purpose, number):
        return tf.random.fold_in(tf.stack([seed + purpose, start]), number)

    def shard_examples(number):
        """The examples of the shard that is number 0, 1, 2, ... since the stream began."""
        epoch, place = number // len(shards), number % len(shards)
        file = tf.gather(files, random_order(len(shards), key(_SHARDS, epoch)))[place]
        records = tf.data.TFRecordDataset(file, buffer_size=READ_BYTES).batch(most)
        records = records.map(
            lambda whole: tf.gather(whole, random_order(tf.size(whole), key(_RECORDS, number)))
        )
        return records.unbatch().enumerate(number * most)

    def decode(position, serialized):
        return _small(train_example(serialized, manifest.image_size, key(_AUGMENT, position)))

    # The dispatcher hands out these numbers one by one. Shuffling them here would let the first
    # worker take a buffer full.
    numbers = tf.data.Dataset.range(tf.int64.max // most)
    stream = numbers.flat_map(shard_examples).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    # A batch comes from one worker, which spares the trainer a copy.
    stream = _distribute(stream.batch(batch_size, drop_remainder=True), service)
    return stream.map(lambda batch: finish(_large(batch))).prefetch(tf.data.AUTOTUNE)


def service_eval_dataset(data_dir, *, service, batch_size, split="val"):
    """Reads a split once through a tf.data service, every image exactly once, in any order.

    Args:
        data_dir: as for `service_train_dataset`.
        service: as there.
        batch_size: B. The last batch is filled up with zeros.
        split: name of the split.

    Returns:
        finite iterable of what `eval_dataset` gives. It raises DataError at its end if images are
        missing, because a worker was lost while it read them.

    Raises:
        DataError: as for `eval_dataset`.
    """
    manifest, files = open_split(data_dir, split, batch_size)
    records = tf.data.Dataset.from_tensor_slices(files).flat_map(
        lambda file: tf.data.TFRecordDataset(file, buffer_size=READ_BYTES)
    )
    examples = records.map(
        lambda serialized: _small(eval_example(serialized, manifest.image_size)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    batches = eval_batches(_distribute(examples, service).map(_large), batch_size)
    return _Counted(batches, manifest.splits[split].examples, split)


class _Counted:
    """Batches, and at their end an error unless they held so many images."""

    def __init__(self, batches, examples, split):
        self._batches = batches
        self._examples = examples
        self._split = split

    def __iter__(self):
        left = self._examples
        for batch in self._batches:
            left -= int(tf.math.count_nonzero(batch["valid"]))
            yield batch
        if left:
            raise DataError(
                f"the data service must give each of the {self._examples} images of "
                f"{self._split} once; it loses some when a worker is lost. Received: "
                f"{self._examples - left}"
            )


def _distribute(dataset, service):
    # The shards of the networks' strategy are its own business: the workers' files are not.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.apply(
        tf.data.experimental.service.distribute(
            tf.data.experimental.service.ShardingPolicy.DYNAMIC, service
        )
    ).with_options(options)


def _small(example):
    # Half of the bytes on the way: ids fit, as in the records.
    return {**example, "label_map": tf.cast(example["label_map"], tf.uint16)}


def _large(example):
    return {**example, "label_map": tf.cast(example["label_map"], tf.int32)}
