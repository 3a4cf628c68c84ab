"""Reads a request's JSON by the rules of TensorFlow Serving's parser."""

import json
import math
import re

from oasis_tf.serving.server.errors import bad_request

# Python's parser is recursive. What is nested deeper can be no tensor, only part of an ignored
# key; it is checked in pieces of this depth and dropped.
_PIECE_DEPTH = 200
_DEEP_LIMIT = 4 << 20
_BYTE_ORDER_MARK = "\ufeff"
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_INF = re.compile(r'"(?:[^"\\]|\\.)*"|\bInf\b', re.DOTALL)


def parse_json(body):
    """Parses the first JSON value of a request body.

    Strict JSON, and: `NaN`, `Infinity`, `Inf` and their negatives are numbers; text after the
    value is ignored; of equal keys the first one wins; nesting may be of any depth (bodies
    nested deeper than Python's parser goes may have 4 MiB).

    Args:
        body: bytes, UTF-8.

    Returns:
        What `json.loads` returns; None in place of what is nested some hundred levels deep.

    Raises:
        ApiError: 400, with the place of the mistake.

    >>> parse_json(b'{"a": 1, "a": 2} and more')
    {'a': 1}
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_request(f"JSON Parse error: not UTF-8 at byte {error.start}") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise bad_request(
            "JSON Parse error: the body begins with a byte order mark; send it without"
        )
    try:
        return _decode(text)
    except ValueError as error:
        return _decode_other_spelling(text, error)
    except RecursionError:
        if len(text) > _DEEP_LIMIT:
            raise bad_request("JSON Parse error: nested too deeply for its size") from None
    try:
        return _decode(_without_depths(text))
    except (ValueError, RecursionError) as error:
        raise bad_request(f"JSON Parse error: {error}") from None


def _decode_other_spelling(text, first_error):
    try:
        return _decode(_INF.sub(lambda m: "Infinity" if m[0] == "Inf" else m[0], text))
    except (ValueError, RecursionError):
        raise bad_request(f"JSON Parse error: {first_error}") from None


def _decode(text):
    start = len(text) - len(text.lstrip(" \t\r\n"))
    return _DECODER.raw_decode(text, start)[0]


def _without_depths(text):
    """`text` with null for all that lies `_PIECE_DEPTH` levels deep, once that has been read."""
    pieces, depth, start = [[]], 0, 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth % _PIECE_DEPTH == 0:
                pieces[-1].append(text[start : match.start()])
                start = match.start()
                pieces.append([])
        elif match[0] in "]}":
            if depth % _PIECE_DEPTH == 0 and len(pieces) > 1:
                pieces[-1].append(text[start : match.end()])
                start = match.end()
                _DECODER.decode("".join(pieces.pop()))
                pieces[-1].append("null")
            depth -= 1
            if depth == 0:
                break
    if depth:
        raise ValueError("brackets do not match")
    pieces[-1].append(text[start:])
    return "".join(pieces[0])


def _first_wins(pairs):
    return dict(reversed(pairs))


def _finite(literal):
    number = float(literal)
    if math.isinf(number):
        raise ValueError(f"number too big: {literal[:40]}")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, parse_float=_finite)
