"""Class lists in the forms people have."""

import codecs
import json

import pytest

from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import read_class_list

RED, BLUE = (255, 0, 0), (0, 0, 255)
NAMES = ("sky", "road", "Void")
MAPILLARY = {
    "version": "1.1",
    "labels": [
        {"name": "object--bird", "readable": "Bird", "color": [255, 0, 0], "evaluate": True},
        {"name": "void--unlabeled", "readable": "Unlabeled", "color": [0, 0, 255]},
    ],
}


def read(path, content, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_class_list(path, **options)


@pytest.mark.parametrize(
    "name, content",
    [
        ("c.txt", "sky\n\nroad\n  Void \n"),
        ("c.txt", "# id: name\n0: sky\n1: road\n2: Void"),
        ("c.txt", "2: Void\n1: road\n0: sky"),
        ("c.txt", "0 sky\n1 road\n2 Void"),
        ("c.csv", "0,sky\n1,road\n2,Void"),
        ("c.txt", "# label:color_rgb:parts:actions\nsky:::\nroad:::\nVoid:::\n"),
        ("c.json", json.dumps(NAMES)),
        ("names.txt", json.dumps(NAMES)),
        ("c.json", '{"0": "sky", "2": "Void", "1": "road"}'),
        ("c.json", '{"road": 1, "sky": 0, "Void": 2}'),
        ("c.json", '{"labels": ["sky", "road", "Void"]}'),
        ("c.json", '{"names": {"0": "sky", "1": "road", "2": "Void"}}'),
        ("c.json", '[{"name": "sky"}, {"name": "road"}, {"name": "Void"}]'),
        (
            "c.json",
            '[{"id": 1, "name": "road"}, {"id": 0, "name": "sky"}, {"id": 2, "name": "Void"}]',
        ),
    ],
)
@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig", "utf-16"])
def test_names(tmp_path, name, content, mark):
    classes = read(tmp_path / name, content.encode(mark))
    assert (classes.names, classes.colours, classes.unlabelled) == (NAMES, None, 2)


@pytest.mark.parametrize(
    "name, content",
    [
        ("c.json", '[{"name": "a", "color": [255, 0, 0]}, {"name": "b", "color": "#0000ff"}]'),
        ("c.txt", "# label:color_rgb:parts:actions\na:255,0,0::\nb:0,0,255:head,tail:walk\n"),
        ("c.txt", "255 0 0 a\n0 0 255\tb\n"),
    ],
)
def test_names_with_colours(tmp_path, name, content):
    classes = read(tmp_path / name, codecs.BOM_UTF8 + content.encode())
    assert (classes.names, classes.colours, classes.unlabelled) == (("a", "b"), (RED, BLUE), None)


def test_mapillary(tmp_path):
    classes = read(tmp_path / "config.json", json.dumps(MAPILLARY))
    assert (classes.names, classes.colours, classes.unlabelled) == (
        ("Bird", "Unlabeled"),
        (RED, BLUE),
        1,
    )


@pytest.mark.parametrize(
    "names, unlabelled",
    [
        (["sky", "Unlabeled"], 1),
        (["UNLABELLED", "void"], 0),
        (["sky", "VOID"], 1),
        (["Ignore", "sky"], 0),
        (["background", "sky"], None),  # in a picture of leaves it is a class like others
    ],
)
def test_the_unlabelled_class_by_its_name(tmp_path, names, unlabelled):
    assert read(tmp_path / "c.json", json.dumps(names)).unlabelled == unlabelled


def test_background_of_a_tool_is_what_nobody_has_labelled(tmp_path):
    content = "background:0,0,0::\nleaf:48,112,32::\n"
    assert read(tmp_path / "labelmap.txt", content).unlabelled == 0
    assert read(tmp_path / "labelmap.txt", content, unlabelled="255").unlabelled == 255


def test_unlabelled_by_name_in_any_case(tmp_path):
    assert read(tmp_path / "c.json", '["Sky", "Road"]', unlabelled="road").unlabelled == 1


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("c.txt", "0: sky\nroad", "all lines must have one form.*1 of 2 like '0: sky'"),
        ("c.txt", "sky:1,2,3::\nroad", "all lines must have one form"),
        ("c.txt", "1: sky\n2: road", "ids must be 0 to 1, each once .*Received: 1, 2"),
        ("c.txt", "0: sky\n0: road", "ids must be 0 to 1.*Received: 0, 0"),
        ("c.json", '{"1": "road"}', "ids must be 0 to 0"),
        ("c.json", '["void", "ignore"]', "--unlabelled must say.*void, ignore"),
        ("c.txt", "300 0 0 a\n0 0 1 b", r"numbers in 0..255. Received: \(300, 0, 0\)"),
        ("c.yaml", "names: [a]", "JSON or text file. Received: YAML"),
        ("c.txt", "", "one at least"),
        ("c.txt", b"\xff\xff", "must be a readable class list"),
    ],
)
def test_malformed(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / name, content)
    assert str(tmp_path / name) in str(caught.value)
