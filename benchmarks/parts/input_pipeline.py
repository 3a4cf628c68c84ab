"""Input pipeline: records to augmented batches of four.

Ours hands out label maps of ids, whatever the number of classes; plain makes them one-hot, as
its networks want them. Each window is a new stream that has run warm.
"""

import time
from pathlib import Path
from statistics import median

import tensorflow as tf

from benchmarks.measure import say
from benchmarks.rows import row
from data_pipeline.reading.reader import train_dataset
from data_pipeline.records.manifest import Manifest

PLAIN, OURS = "plain", "ours"
BATCH = 4
IMAGES_PER_SECOND = 350


def run(options):
    """Measures; returns rows."""
    warm, window = (0.1, 0.1) if options.quick else (1.0, 3.0)
    sides = {
        (name, num_classes): stream
        for num_classes in options.classes
        for name, stream in ((PLAIN, plain_dataset), (OURS, _our_dataset))
    }
    rates = {name: [] for name in sides}
    for number in range(1, options.repeats + 1):
        for (name, num_classes), stream in sides.items():
            rate = images_per_second(stream(options.records, num_classes), warm, window)
            rates[name, num_classes].append(rate)
            say(f"round {number}/{options.repeats}  {name}, {num_classes} classes  {rate:.1f}/s")
    return [
        row(
            f"{n} classes",
            median(rates[OURS, n]),
            "images/s",
            {name: (median(rates[name, n]), "images/s") for name in (PLAIN, OURS)},
            at_least=IMAGES_PER_SECOND,
            times_faster=median(rates[OURS, n]) / median(rates[PLAIN, n]),
            samples={name: rates[name, n] for name in (PLAIN, OURS)},
        )
        for n in options.classes
    ]


def _our_dataset(records, num_classes):
    dataset = train_dataset(records, batch_size=BATCH, seed=0)
    return dataset.map(lambda batch: {**batch, "label_map": batch["label_map"] % num_classes})


def plain_dataset(records, num_classes):
    """A training stream as in the TensorFlow guides, with one-hot label maps.

    Args:
        records: directory built by `data_pipeline.build`.
        num_classes: N.

    Returns:
        infinite tf.data.Dataset of image float32 (B, h, w, 3) in [-1, 1] and labels float32
        (B, h, w, N).
    """
    manifest = Manifest.read(records)
    height, width = manifest.image_size
    files = [str(Path(records) / shard.name) for shard in manifest.splits["train"].shards]
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "label_map")}

    def decode(serialized):
        record = tf.io.parse_single_example(serialized, features)
        image = tf.io.decode_webp(record["image"], channels=3)[0]
        labels = tf.io.decode_png(record["label_map"], channels=1, dtype=tf.uint16)
        # Image and labels are cropped and flipped as one array of four channels.
        both = tf.concat([tf.cast(image, tf.int32), tf.cast(labels, tf.int32)], axis=-1)
        both = tf.image.random_flip_left_right(tf.image.random_crop(both, (height, width, 4)))
        image = tf.cast(both[..., :3], tf.float32) / 127.5 - 1.0
        return image, tf.one_hot(both[..., 3] % num_classes, num_classes)

    records = tf.data.TFRecordDataset(files).shuffle(1024).repeat()
    # With more prefetched the batches of 1204 classes, 1.3 GB each, would fill the memory.
    return records.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(1)


def images_per_second(dataset, warm, window):
    """Images a second of a stream of batches, over `window` seconds after `warm` ones."""
    stream = iter(dataset)
    # What was made ready while nobody waited is used up here.
    _consume(stream, warm)
    batches, seconds = _consume(stream, window)
    return batches * BATCH / seconds


def _consume(stream, seconds):
    """Takes batches for at least so long: (number of batches, seconds)."""
    start, batches, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < seconds:
        next(stream)
        batches += 1
        elapsed = time.perf_counter() - start
    return batches, elapsed
