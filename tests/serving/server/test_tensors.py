import json

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2 as types

from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.tensors import is_supported, to_array, to_json

B64 = {"b64": "AP8="}


@pytest.mark.parametrize(
    "value, dtype, expected",
    [
        (3, types.DT_FLOAT, np.float32(3)),
        ([[1, 2.5], [3, -4]], types.DT_FLOAT, np.float32([[1, 2.5], [3, -4]])),
        # The nearest float32; the format's documentation has this very number.
        ([1435774380], types.DT_FLOAT, np.float32([1435774336])),
        ([1e300, -1e300, 1e-300], types.DT_FLOAT, np.float32([np.inf, -np.inf, 0])),
        ([10**30], types.DT_DOUBLE, np.float64([1e30])),
        ([float("nan")], types.DT_DOUBLE, np.float64([np.nan])),
        ([300, -1, 255], types.DT_UINT8, np.uint8([44, 255, 255])),
        ([128, 40000], types.DT_INT8, np.int8([-128, 64])),
        ([40000], types.DT_INT16, np.int16([-25536])),
        ([-(2**31), 2**31 - 1], types.DT_INT32, np.int32([-(2**31), 2**31 - 1])),
        ([2**32 - 1], types.DT_UINT32, np.uint32([2**32 - 1])),
        ([-(2**63), 2**63 - 1], types.DT_INT64, np.int64([-(2**63), 2**63 - 1])),
        ([2**64 - 1], types.DT_UINT64, np.uint64([2**64 - 1])),
        ([True, False], types.DT_BOOL, np.bool_([True, False])),
        ([], types.DT_FLOAT, np.zeros((0,), np.float32)),
        ([[], []], types.DT_INT32, np.zeros((2, 0), np.int32)),
    ],
)
def test_reads_numbers(value, dtype, expected):
    array = to_array(value, dtype, "x")
    assert array.dtype == expected.dtype
    assert array.shape == expected.shape
    np.testing.assert_array_equal(array, expected)


def test_reads_strings_and_base64_side_by_side():
    value = [["a\0b", B64], [{"b64": "AP 8\n"}, {"b64": "/+8"}]]
    array = to_array(value, types.DT_STRING, "x")
    assert array.tolist() == [[b"a\0b", b"\x00\xff"], [b"\x00\xff", b"\xff\xef"]]


@pytest.mark.parametrize(
    "value, dtype",
    [
        (True, types.DT_FLOAT),
        ("1.0", types.DT_FLOAT),
        (None, types.DT_FLOAT),
        ([1, {}], types.DT_FLOAT),
        (10**400, types.DT_FLOAT),
        (1.0, types.DT_INT32),
        (True, types.DT_INT32),
        ("1", types.DT_INT32),
        (2**31, types.DT_INT8),
        (2**31, types.DT_INT32),
        (-(2**31) - 1, types.DT_INT32),
        (-1, types.DT_UINT32),
        (2**63, types.DT_INT64),
        (-1, types.DT_UINT64),
        (2**64, types.DT_UINT64),
        (0, types.DT_BOOL),
        ("true", types.DT_BOOL),
        (1, types.DT_STRING),
        (None, types.DT_STRING),
        ({"b64": "a"}, types.DT_STRING),
        ({"b64": "_-8="}, types.DT_STRING),
        ({"b64": "AP8=!"}, types.DT_STRING),
        ({"b64": "A=P8"}, types.DT_STRING),
        ({"b64": 1}, types.DT_STRING),
        ({"b64": "AP8=", "other": 1}, types.DT_STRING),
        ({}, types.DT_STRING),
        ("\ud800", types.DT_STRING),
        ([1, [2]], types.DT_FLOAT),
        ([[1], 2], types.DT_FLOAT),
        ([[1, 2], [3]], types.DT_FLOAT),
        ([[[1]], [[2, 3]]], types.DT_FLOAT),
        ([[], [1]], types.DT_FLOAT),
        ([[1], [[2]]], types.DT_FLOAT),
    ],
)
def test_refuses(value, dtype):
    with pytest.raises(ApiError, match="input 'x'") as caught:
        to_array(value, dtype, "x")
    assert caught.value.status == 400


def test_refuses_what_is_nested_too_deeply():
    value = 1
    for _ in range(150):
        value = [value]
    with pytest.raises(ApiError, match="levels deep"):
        to_array(value, types.DT_FLOAT, "x")


@pytest.mark.parametrize(
    "array, text",
    [
        (np.float32(2.1), "2.1"),
        (np.float32(3), "3.0"),
        (np.float32(9e6), "9e+06"),
        (np.float32(-0.0), "-0.0"),
        (np.float32(1435774336), "1.43577434e+09"),
        (np.float32([np.nan, np.inf, -np.inf]), "[NaN, Infinity, -Infinity]"),
        (np.float64(0.1), "0.1"),
        (np.float64(1e22), "1e+22"),
        (np.int64([2**63 - 1]), "[9223372036854775807]"),
        (np.uint64([2**64 - 1]), "[18446744073709551615]"),
        (np.bool_([[True], [False]]), "[[true], [false]]"),
        (np.zeros((0, 3), np.float32), "[]"),
        (np.zeros((2, 0), np.float32), "[[], []]"),
    ],
)
def test_writes_numbers(array, text):
    assert to_json(np.asarray(array), "y") == text


def test_every_float32_comes_back(rng):
    array = rng.integers(0, 2**32, (50, 3, 7), np.uint32).view(np.float32)
    array = np.where(np.isnan(array), np.float32(0), array)
    back = np.array(json.loads(to_json(array, "y")), np.float64).astype(np.float32)
    np.testing.assert_array_equal(back, array)


def test_writes_strings():
    array = np.array([b"a\n\xc3\xa9", b""], object)
    assert json.loads(to_json(array, "y")) == ["a\n\xe9", ""]
    assert json.loads(to_json(array, "y_bytes")) == [{"b64": "YQrDqQ=="}, {"b64": ""}]
    assert to_json(np.asarray(b"ab", object), "y") == '"ab"'


@pytest.mark.parametrize(
    "array", [np.array([b"\xff"], object), np.float16([1])], ids=["not UTF-8", "float16"]
)
def test_cannot_write(array):
    with pytest.raises(ApiError, match="output 'y'") as caught:
        to_json(array, "y")
    assert caught.value.status == 400


def test_half_precision_is_not_supported():
    assert not is_supported(types.DT_HALF)
    assert not is_supported(types.DT_BFLOAT16)
    assert is_supported(types.DT_STRING)
