"""The bytes of a record beside those that TensorFlow makes."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.records.example import serialize
from data_pipeline.records.photograph import encode_photograph
from data_pipeline.records.png import encode_label_map

IMAGE = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 20_000, 2_100_000])
def test_as_tensorflow_serializes_it(length):
    values = {"image": bytes(length), "label_map": b"two", "name": "city/näme".encode()}
    features = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    expected = example.SerializeToString(deterministic=True)
    assert serialize(values["image"], values["label_map"], "city/näme") == expected


def test_same_input_gives_the_same_bytes():
    labels = np.arange(40).reshape(5, 8)
    first, second = (
        serialize(encode_photograph(image), encode_label_map(label_map), "a")
        for image, label_map in ((IMAGE, labels), (IMAGE.copy(), labels.copy()))
    )
    assert first == second
