import numpy as np
import tensorflow as tf

from data_pipeline.records import schema

IMAGE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)
LABELS = np.arange(40).reshape(5, 8) * 1600  # up to 62400: beyond 8 bits and beyond int16


def test_round_trip_is_exact_eagerly_and_in_map():
    serialized = schema.encode(IMAGE, LABELS, "city/näme")
    mapped = next(iter(tf.data.Dataset.from_tensors(serialized).map(schema.parse)))
    for record in (schema.parse(serialized), mapped):
        np.testing.assert_array_equal(record["image"], IMAGE)
        np.testing.assert_array_equal(record["label_map"], LABELS)
        assert record["image"].dtype == tf.uint8 and record["label_map"].dtype == tf.int32
        assert record["name"].numpy().decode() == "city/näme"


def test_small_ids_are_not_rescaled():
    record = schema.parse(schema.encode(IMAGE, LABELS // 1600, "a"))
    np.testing.assert_array_equal(record["label_map"], LABELS // 1600)


def test_same_input_gives_the_same_bytes():
    assert schema.encode(IMAGE, LABELS, "a") == schema.encode(IMAGE, LABELS, "a")
