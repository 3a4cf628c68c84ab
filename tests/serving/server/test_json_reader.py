import math

import pytest

from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.json_reader import parse_json


def test_numbers_keep_their_kind():
    value = parse_json(b'{"a": [1, 1.0, 1e0, -0, 9223372036854775807, true, null]}')["a"]
    assert [type(v) for v in value] == [int, float, float, int, int, bool, type(None)]
    assert value[4] == 2**63 - 1


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "Inf", "-Inf"])
def test_what_is_not_finite(token):
    (value,) = parse_json(f"[{token}]".encode())
    assert math.isnan(value) if token == "NaN" else math.isinf(value)
    assert (value < 0) == token.startswith("-")


def test_inf_inside_of_a_string_stays():
    assert parse_json(b'["Inf \\" Inf", Inf, "Inf"]') == ['Inf " Inf', math.inf, "Inf"]


def test_first_of_equal_keys_wins_and_what_follows_is_ignored():
    assert parse_json(b' \n{"a": 1, "b": {"c": 2, "c": 3}, "a": 4} [[[ "') == {
        "a": 1,
        "b": {"c": 2},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"{",
        b'{"a": 1,}',
        b"[1,]",
        b"{'a': 1}",
        b'{"a": 1 /* no */}',
        b'{"a": 01}',
        b'{"a": 1e309}',
        b'{"a": -1e309}',
        b'{"a": "\n"}',
        b'{"a": "\\x"}',
        b'{"a": inf}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a" 1}',
        b"nul",
        b"1" + b"0" * 5000,
    ],
)
def test_what_is_not_json(body):
    with pytest.raises(ApiError, match="JSON Parse error") as caught:
        parse_json(body)
    assert caught.value.status == 400


@pytest.mark.parametrize("depth", [150, 199, 200, 201, 999, 1500, 20_000, 500_000])
def test_any_depth_in_an_ignored_key(depth):
    body = b'{"deep": ' + b"[" * depth + b"]" * depth + b', "x": [1, 2]} rest'
    assert parse_json(body)["x"] == [1, 2]


@pytest.mark.parametrize("opening, closing", [(b"[", b""), (b"[", b"}"), (b'{"a":', b"]")])
def test_deep_and_wrong(opening, closing):
    with pytest.raises(ApiError, match="JSON Parse error"):
        parse_json(opening * 5000 + b"1" + closing * 5000)


def test_deep_and_wrong_in_the_middle():
    with pytest.raises(ApiError, match="JSON Parse error"):
        parse_json(b"[" * 5000 + b"1,," + b"]" * 5000)


def test_deep_and_mixed_with_strings_that_hold_brackets():
    body = b'{"a": ' + b'[{"]": ' * 3000 + b'"[[\\"["' + b"}]" * 3000 + b', "x": 7}'
    assert parse_json(body)["x"] == 7


def test_deep_and_long_is_refused_quickly():
    with pytest.raises(ApiError, match="too deeply"):
        parse_json(b"[" * (5 << 20))
