import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.serving.warmup import WARMUP_FILE, read_warmup_requests, write_warmup_requests


def test_what_is_written_is_read(tmp_path):
    requests = [
        ("one", {"x": np.int32([[1, 2]]), "s": np.array([b"a\0"], object)}),
        ("two", {"y": np.float32([0.5])}),
    ]
    write_warmup_requests(tmp_path, requests)
    for (name, inputs), (read_name, read_inputs) in zip(
        requests, read_warmup_requests(tmp_path), strict=True
    ):
        assert name == read_name and inputs.keys() == read_inputs.keys()
        for key, array in inputs.items():
            assert read_inputs[key].dtype == array.dtype
            np.testing.assert_array_equal(read_inputs[key], array)


def test_none_there(tmp_path):
    assert read_warmup_requests(tmp_path) == []


def test_damaged(tmp_path):
    write_warmup_requests(tmp_path, [("one", {"x": np.int32([1])})])
    path = tmp_path / WARMUP_FILE
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(tf.errors.DataLossError):
        read_warmup_requests(tmp_path)
