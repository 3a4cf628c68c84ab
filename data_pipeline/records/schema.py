"""Reading one record of a shard (`example.py`) in TensorFlow."""

import tensorflow as tf

_WEBP = b"RIFF"
_FEATURES = {key: tf.io.FixedLenFeature([], tf.string) for key in ("image", "label_map", "name")}


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
