import numpy as np
import tensorflow as tf

from data_pipeline.records import schema
from data_pipeline.records.example import serialize
from data_pipeline.records.photograph import encode_photograph
from data_pipeline.records.png import encode_image, encode_label_map

IMAGE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)
LABELS = np.arange(40).reshape(5, 8) * 1600  # up to 62400: beyond 8 bits and beyond int16


def encode(image, label_map, name):
    return serialize(encode_photograph(image), encode_label_map(label_map), name)


def test_round_trip_is_exact_eagerly_and_in_map():
    serialized = encode(IMAGE, LABELS, "city/näme")
    mapped = next(iter(tf.data.Dataset.from_tensors(serialized).map(schema.parse)))
    for record in (schema.parse(serialized), mapped):
        np.testing.assert_array_equal(record["image"], IMAGE)
        np.testing.assert_array_equal(record["label_map"], LABELS)
        assert record["image"].dtype == tf.uint8 and record["label_map"].dtype == tf.int32
        assert record["name"].numpy().decode() == "city/näme"


def test_records_of_format_2_hold_png_photographs():
    record = schema.parse(serialize(encode_image(IMAGE), encode_label_map(LABELS), "a"))
    np.testing.assert_array_equal(record["image"], IMAGE)
    np.testing.assert_array_equal(record["label_map"], LABELS)


def test_photographs_are_smaller_than_png():
    rows, columns = np.mgrid[:64, :96]
    smooth = np.stack([rows * 2, columns * 2, rows + columns], -1).astype(np.uint8)
    assert len(encode_photograph(smooth)) < len(encode_image(smooth))


def test_small_ids_are_not_rescaled():
    record = schema.parse(encode(IMAGE, LABELS // 1600, "a"))
    np.testing.assert_array_equal(record["label_map"], LABELS // 1600)
