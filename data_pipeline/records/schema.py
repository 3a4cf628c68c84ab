"""One record of a shard: a tf.train.Example with `image`, `label_map` and `name`.

The image is a lossless WebP file, in records of format 2 a PNG; the label map is a PNG.
"""

import tensorflow as tf

from data_pipeline.records.photograph import encode_photograph
from data_pipeline.records.png import encode_label_map

_WEBP = b"RIFF"
_FEATURES = {key: tf.io.FixedLenFeature([], tf.string) for key in ("image", "label_map", "name")}


def encode(image, label_map, name):
    """Serializes one example.

    Args:
        image: uint8 (H, W, 3), RGB in 0..255.
        label_map: int (H, W), ids in [0, 65535].
        name: str, unique within the split.

    Returns:
        bytes; the same input gives the same bytes.
    """
    return serialize(encode_photograph(image), encode_label_map(label_map), name)


def serialize(image, label_map, name):
    """Serializes one example whose two pictures are encoded already."""
    values = {"image": image, "label_map": label_map, "name": name.encode()}
    features = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def parse(serialized):
    """Decodes one record; works eagerly and inside `Dataset.map`.

    Args:
        serialized: scalar string tensor.

    Returns:
        dict with "image" uint8 (H, W, 3) in 0..255, "label_map" int32 (H, W), "name" string ().
    """
    record = tf.io.parse_single_example(serialized, _FEATURES)
    label_map = tf.io.decode_png(record["label_map"], channels=1, dtype=tf.uint16)  # (H, W, 1)
    return {
        "image": _decode_photograph(record["image"]),
        "label_map": tf.cast(label_map[..., 0], tf.int32),
        "name": record["name"],
    }


def _decode_photograph(file):
    """WebP or PNG bytes, which the first of them tell: uint8 (H, W, 3)."""
    return tf.cond(
        tf.strings.substr(file, 0, len(_WEBP)) == _WEBP,
        lambda: tf.io.decode_webp(file, channels=3)[0],  # of one frame
        lambda: tf.io.decode_png(file, channels=3),
    )
