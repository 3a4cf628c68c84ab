"""The data set's preview in TensorBoard."""

import numpy as np
import tensorflow as tf
from PIL import Image

from oasis_tf.training.data_preview import write_data_preview


def written(directory, data_dir):
    writer = tf.summary.create_file_writer(str(directory))
    write_data_preview(writer, data_dir, 3)
    writer.close()
    return [
        (value.tag, event.step, value.tensor.string_val)
        for path in directory.iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_the_picture_is_the_file(tmp_path, rng):
    sheet = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    (tmp_path / "data").mkdir()
    Image.fromarray(sheet).save(tmp_path / "data/preview.png")
    ((tag, step, (width, height, png)),) = written(tmp_path / "events", tmp_path / "data")
    assert (tag, step, int(width), int(height)) == ("data/preview", 3, 7, 5)
    np.testing.assert_array_equal(tf.io.decode_png(png), sheet)


def test_none_and_a_damaged_one_are_no_reason_to_stop(tmp_path):
    assert written(tmp_path / "none", tmp_path) == []
    (tmp_path / "preview.png").write_bytes(b"no picture")
    assert written(tmp_path / "damaged", tmp_path) == []
