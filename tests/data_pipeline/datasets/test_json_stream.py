"""Lists of a JSON file entry by entry, beside Python's own reader of whole files."""

import json

import pytest

from data_pipeline.datasets import json_stream
from data_pipeline.datasets.json_stream import stream_lists
from data_pipeline.errors import DataError

CONTENT = {
    "version": 12,
    "info": {"annotations": [{"id": 0}], "text": 'a "]}, {" b'},
    "annotations": [
        {"id": 1, "name": "Straße"},
        {"id": 2, "segmentation": [[0.5, 1e3, -2.25]], "text": "}, {"},
        {"id": 3, "counts": "\\u0041]}"},
    ],
    "nothing": [],
    "images": [{"id": 7}],
    "last": None,
}


def streamed(path, *keys):
    """{key: [(entry, the bytes it stands in)]}."""
    found = {key: [] for key in keys}
    raw = path.read_bytes()

    def visitor(key):
        return lambda entry, start, stop: found[key].append((entry, raw[start:stop]))

    stream_lists(path, {key: (dict, visitor(key)) for key in keys})
    return found


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("options", [{}, {"indent": 3}, {"ensure_ascii": False}])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_entries_and_where_they_stand(tmp_path, monkeypatch, chunk, options, mark):
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    path = tmp_path / "a.json"
    path.write_bytes(mark + json.dumps(CONTENT, **options).encode() + b"\n ")
    found = streamed(path, "annotations", "images", "nothing")
    for key, entries in found.items():
        assert [entry for entry, _ in entries] == CONTENT[key]
        assert [json.loads(raw) for _, raw in entries] == CONTENT[key]


@pytest.mark.parametrize("usual", [10, 100, 1 << 16])
@pytest.mark.parametrize("chunk", [1, 50, 1 << 20])
def test_entries_that_hold_what_stands_between_entries(tmp_path, monkeypatch, rng, chunk, usual):
    """So that what is taken for the end of an entry often is none."""
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    monkeypatch.setattr(json_stream, "_USUAL_ENTRY", usual)
    within = ({"id": 1}, '}, {"id": 2', [{"id": 3}, {"id": 4}], "}", 5.5, None)
    entries = [
        {("id", "other")[rng.integers(2)]: within[i] for i in rng.integers(6, size=1)}
        | {"id": [within[i] for i in rng.integers(6, size=rng.integers(4))]}
        for _ in range(60)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": entries, "b": 1}))
    found = streamed(path, "a")["a"]
    assert [entry for entry, _ in found] == entries
    assert [json.loads(raw) for _, raw in found] == entries


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "'{'|{"),
        ("[]", r"'\[' at byte 0"),
        ('{"a": [{"id": 1}', "the end at byte 16"),
        ('{"a": [{"id": 1', "byte 1[0-9].*cut short"),
        ('{"a": [{"id": 1}]', "the end"),
        ('{"a": [{"id": 1},]}', "byte 17"),
        ('{"a": [{"id": 1} {"id": 2}]}', "byte 17, not , or ]"),
        ('{"a": [{"id": 1}]} x', "more text"),
        ('{"a" [{"id": 1}]}', "byte 5"),
        ("{5: []}", "key"),
        ('{"a": [], "a": []}', "'a' is there twice"),
        ('{"a": [1, 2]}', "list of objects 'a'.*1 in it"),
        ('{"a": [{"id": 1}, {"id": 2}, 3]}', "list of objects 'a'.*3 in it"),
        ('{"a": [{"id": 1}, {"id": 2}, {"id": 3,}]}', "byte 3[78]"),
        ('{"a": [{"id": 1}, {"id": NaN}]}', "value at byte 18"),
        ('{"a": 3}', "list of objects 'a'.*none"),
        ('{"b": []}', "list of objects 'a'.*none"),
        ('{"a": ' + "[" * 100_000, "a.json"),
        ('{"b": ' + "[" * 100_000, "a.json"),
    ],
)
def test_what_is_no_such_file(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        streamed(path, "a")
    assert str(path) in str(caught.value)


def test_bytes_that_are_not_utf8(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": []}', encoding="utf-16")
    with pytest.raises(DataError, match="not UTF-8"):
        streamed(path, "a")
    path.write_bytes(b'{"a": [{"name": "\xff"}]}')
    with pytest.raises(DataError, match=r"a.json must be a readable JSON"):
        streamed(path, "a")
    with pytest.raises(DataError, match=r"b.json must be a readable JSON"):
        stream_lists(tmp_path / "b.json", {})


def test_an_entry_without_end_is_not_read_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(json_stream, "_CHUNK", 64)
    monkeypatch.setattr(json_stream, "_LARGEST_ENTRY", 1000)
    path = tmp_path / "a.json"
    path.write_text('{"a": [{"text": "' + 5000 * "x" + '"}]}')
    with pytest.raises(DataError, match="byte 7 is malformed, or longer than"):
        streamed(path, "a")
