"""Shards to batches: an endless training stream that can be continued anywhere, and evaluation."""

from pathlib import Path

import tensorflow as tf

from data_pipeline.errors import DataError, first_line
from data_pipeline.files import sha256
from data_pipeline.reading.transforms import centre_crop, random_crop_and_flip, to_model_range
from data_pipeline.records.manifest import Manifest
from data_pipeline.records.schema import parse

# Read-ahead of a file, for disks far away.
READ_BYTES = 8 << 20
# What iterating over a dataset raises for damaged, missing and strange records; the last one where
# TensorFlow quotes bytes of the record in its message.
READ_ERRORS = (
    tf.errors.DataLossError,
    tf.errors.NotFoundError,
    tf.errors.InvalidArgumentError,
    UnicodeDecodeError,
)
# First of the two ints of a stateless seed, added to it, so that no two uses share numbers.
_SHARDS, _WINDOW, _AUGMENT = 0, 1, 2


def train_dataset(
    data_dir,
    *,
    batch_size,
    seed,
    start=0,
    part=(0, 1),
    split="train",
    shuffle_buffer=1024,
    parallel_calls=tf.data.AUTOTUNE,
):
    """Reads a split for ever, shuffled, cropped and flipped at random.

    Example number p = 0, 1, 2, ... of the stream depends on the data, `seed` and
    `shuffle_buffer` alone, so a stream with `start=p` goes on exactly where another one stopped.
    Every image comes once an epoch; batches run across the ends of epochs. An epoch reads the
    shards in random order and shuffles windows of `shuffle_buffer` records; the records are in
    random order on disk already.

    Args:
        data_dir: directory built by `python -m data_pipeline.build`.
        batch_size: B.
        seed: int.
        start: number of the first example.
        part: (index, count): of each batch only one of `count` equal parts, the examples from
            index * B / count on, in batches of B / count. The records of the others are read and
            not decoded. Defaults to the whole batch.
        split: name of the split.
        shuffle_buffer: records shuffled together and held in memory (0.2 MB each at 286x286).
            Defaults to 1024.
        parallel_calls: examples decoded at the same time; does not change the stream.

    Returns:
        infinite tf.data.Dataset of {"image": float32 (B, h, w, 3) in [-1, 1], "label_map": int32
        (B, h, w), ids in [0, N)}.

    Raises:
        DataError: no complete data set, a missing or truncated shard, no such split, fewer
            examples than `batch_size`, or a part that is none.
    """
    manifest, files = open_split(data_dir, split, batch_size, whole_batch=True)
    shards = manifest.splits[split].shards
    examples = manifest.splits[split].examples
    index, count = part
    if not 0 <= index < count or batch_size % count:
        raise DataError(
            "part must be (index, count) with index from 0 to count - 1 and batch_size a multiple "
            f"of count. Received: {part}, batch_size {batch_size}"
        )
    rows = batch_size // count
    seed = tf.constant(seed, tf.int64)
    counts = tf.constant([shard.examples for shard in shards], tf.int64)
    first_epoch, first_offset = divmod(start, examples)

    def window_order(records, window, epoch):
        key = tf.random.fold_in(tf.stack([seed + _WINDOW, epoch]), window)
        return tf.gather(records, random_order(tf.size(records), key))

    def epoch_records(epoch):
        """The serialized records of one epoch; those before `start` are not read."""
        offset = tf.where(epoch == first_epoch, tf.constant(first_offset, tf.int64), 0)
        window = offset // shuffle_buffer
        skipped = window * shuffle_buffer
        order = random_order(len(shards), tf.stack([seed + _SHARDS, epoch]))
        ends = tf.cumsum(tf.gather(counts, order))  # (shards,)
        shard = tf.searchsorted(ends, skipped[None], side="right", out_type=tf.int64)[0]
        in_shard = skipped - tf.where(shard > 0, ends[tf.maximum(shard, 1) - 1], 0)
        records = tf.data.TFRecordDataset(
            tf.gather(files, order)[shard:], buffer_size=READ_BYTES
        ).skip(in_shard)
        windows = records.batch(shuffle_buffer).prefetch(1).enumerate(window)
        windows = windows.map(lambda index, window: window_order(window, index, epoch))
        return windows.unbatch().skip(offset - skipped)

    def decode(position, serialized):
        key = tf.stack([seed + _AUGMENT, position])
        return train_example(serialized, manifest.image_size, key)

    stream = tf.data.Dataset.counter(tf.constant(first_epoch, tf.int64)).flat_map(epoch_records)
    stream = stream.enumerate(start)
    if count > 1:
        stream = stream.filter(lambda position, _: (position - start) % batch_size // rows == index)
    stream = stream.map(decode, num_parallel_calls=parallel_calls, deterministic=True)
    stream = stream.batch(rows, drop_remainder=True).map(finish)
    # TensorFlow cannot know; it would have workers ask each other for a next batch in each step.
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return stream.apply(endless).prefetch(tf.data.AUTOTUNE)


def train_example(serialized, image_size, key):
    """Decodes and augments a record: `image` uint8 (h, w, 3), `label_map` int32 (h, w)."""
    record = parse(serialized)
    image, label_map = random_crop_and_flip(record["image"], record["label_map"], image_size, key)
    return {"image": image, "label_map": label_map}


def eval_dataset(data_dir, *, batch_size, split="val", as_bytes=False):
    """Reads a split once, in source order, every image exactly once whatever the batch size.

    Images stored larger than training sees them (the training split) are cut in the middle.

    Args:
        data_dir: directory built by `python -m data_pipeline.build`.
        batch_size: B. The last batch is filled up with zeros.
        split: name of the split.
        as_bytes: leave images as they are stored instead of bringing them to the networks' range.

    Returns:
        finite tf.data.Dataset of {"image": float32 (B, h, w, 3) in [-1, 1], or uint8 in 0..255 if
        `as_bytes`; "label_map": int32 (B, h, w); "name": string (B,); "valid": bool (B,), False
        where filled up}.

    Raises:
        DataError: no complete data set, a missing or truncated shard, or no such split.
    """
    manifest, files = open_split(data_dir, split, batch_size)
    records = tf.data.TFRecordDataset(files, buffer_size=READ_BYTES)
    examples = records.map(
        lambda serialized: eval_example(serialized, manifest.image_size),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return eval_batches(examples, batch_size, as_bytes=as_bytes)


def eval_example(serialized, image_size):
    """Decodes a record for evaluation: `image` uint8 (h, w, 3), `label_map` int32, `name`."""
    record = parse(serialized)
    image, label_map = centre_crop(record["image"], record["label_map"], image_size)
    return {"image": image, "label_map": label_map, "name": record["name"]}


def eval_batches(examples, batch_size, *, as_bytes=False):
    """Batches what `eval_example` gives into what `eval_dataset` does."""

    def fill_up(batch):
        size = tf.shape(batch["name"])[0]
        batch = {**batch, "valid": tf.fill([size], True)}
        if not as_bytes:
            batch = finish(batch)

        def fill(value):
            padding = [[0, batch_size - size]] + [[0, 0]] * (value.shape.rank - 1)
            empty = "" if value.dtype == tf.string else tf.zeros([], value.dtype)
            value = tf.pad(value, padding, constant_values=empty)
            return tf.ensure_shape(value, [batch_size, *value.shape[1:]])

        return {key: fill(value) for key, value in batch.items()}

    return examples.batch(batch_size).map(fill_up).prefetch(tf.data.AUTOTUNE)


def explain_read_error(data_dir, error):
    """Finds out which shard is damaged, after tf.data failed while reading.

    Args:
        data_dir: directory that was read.
        error: one of `READ_ERRORS`.

    Returns:
        DataError, to be raised `from error`. It names every shard that is missing or differs
        from its checksum, or says that all are whole and quotes `error`.
    """
    try:
        manifest = Manifest.read(data_dir)
        manifest.check_shards(data_dir)
    except DataError as found:
        return found
    damaged = [
        shard.name
        for split in manifest.splits.values()
        for shard in split.shards
        if sha256(Path(data_dir) / shard.name) != shard.sha256
    ]
    if damaged:
        return DataError(
            f"shards of {data_dir} must be as they were built; build the data set again. "
            f"Received: damaged {', '.join(damaged)}"
        )
    return DataError(
        f"reading {data_dir} failed although every shard has its checksum. "
        f"Received: {first_line(error)}"
    )


def open_split(data_dir, split, batch_size, *, whole_batch=False):
    """Reads the manifest and checks what a reader asks for.

    Args:
        data_dir: directory built by `python -m data_pipeline.build`.
        split: name of the split.
        batch_size: B.
        whole_batch: the split must fill one batch.

    Returns:
        `Manifest`, and the absolute paths of the split's shards, string tensor (shards,).

    Raises:
        DataError: as for `train_dataset` and `eval_dataset`.
    """
    manifest = Manifest.read(data_dir)
    if split not in manifest.splits:
        raise DataError(
            f"{data_dir} must hold the split {split!r}. Received: {', '.join(manifest.splits)}"
        )
    if batch_size < 1:
        raise DataError(f"batch_size must be 1 or more. Received: {batch_size}")
    examples = manifest.splits[split].examples
    if whole_batch and examples < batch_size:
        raise DataError(
            f"{split} of {data_dir} must have at least batch_size examples. "
            f"Received: {examples} examples, batch_size {batch_size}"
        )
    manifest.check_shards(data_dir, [split])
    shards = manifest.splits[split].shards
    root = Path(data_dir).absolute()
    return manifest, tf.constant([str(root / shard.name) for shard in shards])


def random_order(count, key):
    """The numbers below `count` in an order that `key`, two ints, decides: int32 (count,)."""
    rank = tf.random.stateless_uniform([count], key, None, None, tf.int64)
    return tf.argsort(rank, stable=True)


def finish(batch):
    """Brings the images of a batch from uint8 to the networks' range."""
    # After batching: bytes are cheaper to copy than floats.
    return {**batch, "image": to_model_range(batch["image"])}
