"""Spoilt files: bytes and JSON values with a few random changes."""

import json

from hypothesis import strategies as st

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.sampled_from([2**31, 2**63, -(2**63), 10**30, 10**400])
    | st.floats()
    | st.text(max_size=5)
)
_VALUES = (
    _SCALARS | st.lists(_SCALARS, max_size=3) | st.dictionaries(st.text(), _SCALARS, max_size=2)
)


@st.composite
def changed_bytes(draw, content):
    """`content` with bytes changed, cut out, put in or put in the place of others."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "truncate", "numbers"]))
        if kind == "flip" and changed:
            changed[at] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del changed[at : at + draw(st.integers(1, 40))]
        elif kind == "insert":
            changed[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "truncate":
            del changed[at:]
        else:  # lengths and sizes that are huge, negative or 0
            size = draw(st.sampled_from([2, 4, 8]))
            number = draw(st.sampled_from([0, 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1]))
            order = draw(st.sampled_from(["little", "big"]))
            changed[at : at + size] = number.to_bytes(size, order)
    return bytes(changed)


@st.composite
def changed_json(draw, text):
    """JSON text in which some values are other ones, gone, or not JSON any more."""
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 2))):
        holder, key = None, None
        place = value
        while isinstance(place, dict | list) and place and draw(st.integers(0, 4)):
            keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
            holder, key = place, draw(st.sampled_from(keys))
            place = holder[key]
        if holder is None:
            value = draw(_VALUES)
        elif draw(st.booleans()):
            holder[key] = draw(_VALUES)
        else:
            del holder[key]
    text = json.dumps(value)
    ending = draw(st.sampled_from(["whole", "whole", "whole", "cut", "deep", "bytes"]))
    if ending == "cut":
        text = text[: draw(st.integers(0, len(text)))]
    elif ending == "deep":
        text = '{"format_version":' + "[" * 100_000
    data = text.encode()
    return data + b"\xff" if ending == "bytes" else data
