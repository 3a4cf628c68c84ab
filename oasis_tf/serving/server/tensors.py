"""JSON values -> arrays and back, each by the dtype that the signature declares."""

import base64
import binascii
import itertools
import json
import re

import numpy as np
from tensorflow.core.framework import types_pb2

from oasis_tf.serving.server.errors import ApiError, bad_request

_FLOATS = {types_pb2.DT_FLOAT: np.float32, types_pb2.DT_DOUBLE: np.float64}
# Narrow integers are read as int32 and wrap around.
_INTEGERS = {
    types_pb2.DT_INT8: (np.int32, np.int8),
    types_pb2.DT_INT16: (np.int32, np.int16),
    types_pb2.DT_UINT8: (np.int32, np.uint8),
    types_pb2.DT_INT32: (np.int32, np.int32),
    types_pb2.DT_UINT32: (np.uint32, np.uint32),
    types_pb2.DT_INT64: (np.int64, np.int64),
    types_pb2.DT_UINT64: (np.uint64, np.uint64),
}
_OTHERS = {types_pb2.DT_BOOL, types_pb2.DT_STRING}
_MAX_RANK = 32
_WHOLE = re.compile(r"-?\d+")


def is_supported(dtype):
    """Whether JSON can carry a tensor of this `types_pb2.DataType`."""
    return dtype in _FLOATS or dtype in _INTEGERS or dtype in _OTHERS


def to_array(value, dtype, name):
    """Turns a JSON value into an array.

    Args:
        value: a scalar, or nested lists of scalars, from `parse_json`. A string may also be
            `{"b64": "..."}`.
        dtype: the declared `types_pb2.DataType`, a supported one.
        name: the input's name, for messages.

    Returns:
        An array of that dtype (bytes objects for strings), with the shape of the lists.

    Raises:
        ApiError: 400: ragged lists, or a scalar that is not of the dtype.

    >>> to_array([[1, 2.5]], types_pb2.DT_FLOAT, "x")
    array([[1. , 2.5]], dtype=float32)
    """
    shape, leaves = _flatten(value, name)
    return _LEAVES[_kind(dtype)](leaves, dtype, name).reshape(shape)


def is_base64_object(value):
    """Whether a JSON value is `{"b64": ...}` and nothing else."""
    return isinstance(value, dict) and value.keys() == {"b64"}


def to_json(array, name):
    """Writes an array as JSON text.

    Floats are the shortest of six or nine digits that name the same float32 and always have a
    point or an exponent; strings are `{"b64": ...}` where `name` ends with `_bytes`.

    Args:
        array: of any supported dtype and rank.
        name: the output's name.

    Returns:
        str.

    Raises:
        ApiError: 400: a string that is not UTF-8 in an output not named `*_bytes`, or a dtype
            that JSON cannot carry.

    >>> to_json(np.float32([[2.1, 3]]), "y")
    '[[2.1, 3.0]]'
    """
    texts = _texts(array, name)
    for size in reversed(array.shape):
        if size:
            texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    if array.size == 0:
        return _empty(array.shape)
    return texts[0]


def _kind(dtype):
    if dtype in _FLOATS:
        return "float"
    if dtype in _INTEGERS:
        return "integer"
    return "bool" if dtype == types_pb2.DT_BOOL else "string"


def _flatten(value, name):
    """Shape and scalars of nested lists, level by level."""
    shape, level = [], [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        if any(not isinstance(node, list) or len(node) != size for node in level):
            raise bad_request(f"input {name!r}: the lists must all have the same shape")
        shape.append(size)
        if len(shape) > _MAX_RANK:
            raise bad_request(f"input {name!r}: nested more than {_MAX_RANK} levels deep")
        level = list(itertools.chain.from_iterable(level))
    if any(isinstance(node, list) for node in level):
        raise bad_request(f"input {name!r}: the lists must all have the same shape")
    return shape, level


def _require(leaves, types, wanted, name):
    if not set(map(type, leaves)) <= types:
        wrong = next(leaf for leaf in leaves if type(leaf) not in types)
        raise bad_request(f"input {name!r} must be {wanted}. Received: {json.dumps(wrong)[:80]}")


def _floats(leaves, dtype, name):
    _require(leaves, {int, float}, "numbers", name)
    with np.errstate(over="ignore", under="ignore"):
        try:
            return np.array(leaves, np.float64).astype(_FLOATS[dtype])
        except OverflowError:
            raise bad_request(f"input {name!r}: a number is too big") from None


def _integers(leaves, dtype, name):
    _require(leaves, {int}, "whole numbers, written without point or exponent", name)
    read_as, kept_as = _INTEGERS[dtype]
    limits = np.iinfo(read_as)
    if leaves and not (limits.min <= min(leaves) and max(leaves) <= limits.max):
        raise bad_request(
            f"input {name!r} must be in the range of {limits.dtype}. "
            f"Received: {min(leaves)} to {max(leaves)}"
        )
    return np.array(leaves, read_as).astype(kept_as)


def _bools(leaves, dtype, name):
    _require(leaves, {bool}, "true or false", name)
    return np.array(leaves, np.bool_)


def _strings(leaves, dtype, name):
    _require(leaves, {str, dict}, 'strings or {"b64": "..."}', name)
    array = np.empty(len(leaves), object)
    array[:] = [_bytes(leaf, name) for leaf in leaves]
    return array


_LEAVES = {"float": _floats, "integer": _integers, "bool": _bools, "string": _strings}


def _bytes(leaf, name):
    try:
        if isinstance(leaf, str):
            return leaf.encode("utf-8")
        if is_base64_object(leaf) and isinstance(leaf["b64"], str):
            digits = re.sub(r"\s", "", leaf["b64"]).rstrip("=")
            return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except UnicodeEncodeError:
        raise bad_request(f"input {name!r}: a string is not valid Unicode") from None
    except (binascii.Error, ValueError):
        raise bad_request(f"input {name!r}: not base64 (standard alphabet)") from None
    raise bad_request(f'input {name!r}: bytes must be written as {{"b64": "..."}} and nothing else')


def _texts(array, name):
    kind = array.dtype.kind
    if array.dtype in (np.float32, np.float64):
        return _float_texts(array.ravel())
    if kind in "iu":
        return list(map(str, array.ravel().tolist()))
    if kind == "b":
        return ["true" if leaf else "false" for leaf in array.ravel().tolist()]
    if kind == "O":
        return [_string_text(leaf, name) for leaf in array.ravel().tolist()]
    raise ApiError(400, f"output {name!r}: JSON cannot carry {array.dtype}; cast it to float32")


def _float_texts(values):
    if values.dtype == np.float64:
        return list(map(_float_text, map(repr, values.tolist())))
    numbers = values.tolist()
    texts = (("%g " * len(numbers)) % tuple(numbers)).split()
    with np.errstate(over="ignore"):
        short_enough = np.array(texts, np.float64).astype(np.float32) == values
    for i in np.flatnonzero(~short_enough & np.isfinite(values)):
        texts[i] = f"{numbers[i]:.9g}"
    return list(map(_float_text, texts))


def _float_text(text):
    if _WHOLE.fullmatch(text):
        return text + ".0"
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)


def _string_text(value, name):
    value = value if isinstance(value, bytes) else str(value).encode("utf-8")
    if name.endswith("_bytes"):
        return f'{{"b64": "{base64.b64encode(value).decode("ascii")}"}}'
    try:
        return json.dumps(value.decode("utf-8"), ensure_ascii=False)
    except UnicodeDecodeError:
        raise bad_request(
            f"output {name!r} holds bytes; only outputs named *_bytes can carry them"
        ) from None


def _empty(shape):
    if shape[0] == 0:
        return "[]"
    return "[" + ", ".join([_empty(shape[1:])] * shape[0]) + "]"
