import json

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2 as types

from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.predict import parse_request, read_inputs, write_outputs

ONE = {"x": types.DT_FLOAT}
TWO = {"a": types.DT_FLOAT, "b": types.DT_INT64}
TEXT = {"s": types.DT_STRING}


def read(body, dtypes):
    inputs, row = read_inputs(parse_request(json.dumps(body).encode())[0], dtypes)
    return {name: array.tolist() for name, array in inputs.items()}, row


def test_rows_of_plain_values():
    assert read({"instances": [1.0, 2, 5]}, ONE) == ({"x": [1, 2, 5]}, True)
    assert read({"instances": [[[1]], [[2]]]}, ONE) == ({"x": [[[1]], [[2]]]}, True)
    assert read({"instances": [{"b64": "YQ=="}, "b"]}, TEXT) == ({"s": [b"a", b"b"]}, True)


def test_rows_of_objects():
    instances = [{"a": [1, 2], "b": 3}, {"b": 4, "a": [5, 6]}]
    assert read({"instances": instances}, TWO) == ({"a": [[1, 2], [5, 6]], "b": [3, 4]}, True)
    assert read({"instances": [{"x": 1}]}, ONE) == ({"x": [1]}, True)
    assert read({"instances": [{"s": {"b64": "YQ"}}]}, TEXT) == ({"s": [b"a"]}, True)


def test_columns():
    assert read({"inputs": 3.0}, ONE) == ({"x": 3}, False)
    assert read({"inputs": [[1], [2]]}, ONE) == ({"x": [[1], [2]]}, False)
    assert read({"inputs": {"x": [1]}}, ONE) == ({"x": [1]}, False)
    assert read({"inputs": {"b64": "YQ=="}}, TEXT) == ({"s": b"a"}, False)
    # Dimension 0 need not be the same, and more names than needed are ignored.
    inputs = {"a": [[1, 2]], "b": [3, 4, 5], "c": "ignored"}
    assert read({"inputs": inputs, "other": 1}, TWO) == ({"a": [[1, 2]], "b": [3, 4, 5]}, False)


@pytest.mark.parametrize(
    "request_, dtypes",
    [
        ({}, ONE),
        ({"instances": [1], "inputs": [1]}, ONE),
        ({"instances": []}, ONE),
        ({"instances": 1}, ONE),
        ({"instances": {"x": 1}}, ONE),
        ({"instances": [1, 2]}, TWO),
        ({"instances": [1, {"x": 2}]}, ONE),
        ({"instances": [{"a": [1], "b": 1}, {"a": [1]}]}, TWO),
        ({"instances": [{"a": [1], "b": 1, "c": 1}]}, TWO),
        ({"instances": [{"a": [1], "b": 1}, {"a": [1, 2], "b": 1}]}, TWO),
        ({"instances": [{"y": 1}]}, ONE),
        ({"inputs": [1]}, TWO),
        ({"inputs": {"a": [1]}}, TWO),
        ({"inputs": {"y": 1}}, ONE),
        ({"inputs": None}, ONE),
        ({"inputs": "text"}, ONE),
    ],
)
def test_refuses(request_, dtypes):
    with pytest.raises(ApiError) as caught:
        read(request_, dtypes)
    assert caught.value.status == 400


@pytest.mark.parametrize("key, status", [("instances", 400), ("inputs", 501)])
def test_half_precision_inputs(key, status):
    with pytest.raises(ApiError) as caught:
        read({key: [1.0]}, {"x": types.DT_HALF})
    assert caught.value.status == status


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"[1]", b"1", b"{", b'{"signature_name": 1}', b'{"signature_name": null}'],
)
def test_bad_requests(body):
    with pytest.raises(ApiError) as caught:
        parse_request(body)
    assert caught.value.status == 400


def test_signature_name():
    assert parse_request(b'{"signature_name": "two"}')[1] == "two"
    assert parse_request(b'{"signature_name": ""}')[1] == "serving_default"
    assert parse_request(b"{}")[1] == "serving_default"


def test_answers_with_one_output_drop_its_name():
    outputs = {"y": np.float32([[1], [2]])}
    assert json.loads(write_outputs(outputs, True)) == {"predictions": [[1.0], [2.0]]}
    assert json.loads(write_outputs(outputs, False)) == {"outputs": [[1.0], [2.0]]}
    assert json.loads(write_outputs({"y": np.float32(3)}, False)) == {"outputs": 3.0}


def test_answers_with_several_outputs():
    outputs = {"y": np.float32([[1], [2]]), "z_bytes": np.array([b"a", b"b"], object)}
    rows = [{"y": [1.0], "z_bytes": {"b64": "YQ=="}}, {"y": [2.0], "z_bytes": {"b64": "Yg=="}}]
    assert json.loads(write_outputs(outputs, True)) == {"predictions": rows}
    columns = {"y": [[1.0], [2.0]], "z_bytes": [{"b64": "YQ=="}, {"b64": "Yg=="}]}
    assert json.loads(write_outputs(outputs, False)) == {"outputs": columns}


@pytest.mark.parametrize(
    "outputs",
    [{"y": np.float32(1)}, {"y": np.float32([1]), "z": np.float32([1, 2])}],
    ids=["scalar", "other dimension 0"],
)
def test_answers_without_common_rows(outputs):
    with pytest.raises(ApiError) as caught:
        write_outputs(outputs, True)
    assert caught.value.status == 400
    assert write_outputs(outputs, False)
