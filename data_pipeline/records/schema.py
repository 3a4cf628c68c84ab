"""One record of a shard: a tf.train.Example with `image`, `label_map` (PNG bytes) and `name`."""

import tensorflow as tf

from data_pipeline.records.png import encode_image, encode_label_map

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
    return serialize(encode_image(image), encode_label_map(label_map), name)


def serialize(image_png, label_map_png, name):
    """Serializes one example whose two pictures are PNG bytes already."""
    values = {"image": image_png, "label_map": label_map_png, "name": name.encode()}
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
        "image": tf.io.decode_png(record["image"], channels=3),
        "label_map": tf.cast(label_map[..., 0], tf.int32),
        "name": record["name"],
    }
