"""Files of records beside those of TensorFlow's own writer."""

import pytest
import tensorflow as tf

from data_pipeline.records.framing import framed

RECORDS = [b"", b"a", bytes(range(256)) * 500]


def test_as_tensorflow_writes_it(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in RECORDS:
            writer.write(record)
    assert b"".join(map(framed, RECORDS)) == (tmp_path / "theirs").read_bytes()


def test_a_damaged_record_is_told(tmp_path):
    damaged = bytearray(framed(b"some record"))
    damaged[14] ^= 1
    (tmp_path / "ours").write_bytes(damaged)
    with pytest.raises(tf.errors.DataLossError):
        list(tf.data.TFRecordDataset(str(tmp_path / "ours")))
