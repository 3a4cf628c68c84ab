"""Names, ids and colours of label files, and what is said about wrong ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend

LEGEND = Legend(
    ("unlabelled", "sky", "Sea", "sea-shell"),
    ((40, 40, 40), (1, 2, 3), (4, 5, 6), (7, 8, 9)),
    {255: 0, 0: 1, 1: 2, 2: 3},
)


def test_json_and_back():
    with_palette = replace(LEGEND, label_palette={255: (9, 9, 9), 0: (1, 2, 3)})
    for legend in (LEGEND, with_palette, Legend(("unlabelled",), ((0, 0, 0),))):
        assert Legend.from_json(json.loads(json.dumps(legend.to_json()))) == legend


def test_ids_of_files_become_ours():
    ids = np.array([[255, 0], [1, 2]])
    np.testing.assert_array_equal(LEGEND.to_ours(ids), [[0, 1], [2, 3]])
    same = Legend(LEGEND.class_names, LEGEND.palette)
    np.testing.assert_array_equal(same.to_ours(np.array([[3, 0]])), [[3, 0]])


@pytest.mark.parametrize("strange", [-1, 3, 254, 256, 60000])
def test_ids_of_no_class_are_counted(strange):
    with pytest.raises(DataError, match=rf"model's 4 classes. Received:\n  id {strange}: 2 pixels"):
        LEGEND.to_ours(np.array([[0, strange, strange]]))


def test_names():
    assert LEGEND.class_id("sky") == 1
    assert LEGEND.class_id("SEA") == 2
    with pytest.raises(DataError, match=r"model's 4. Received: 'sky2'; the nearest: sky"):
        LEGEND.class_id("sky2")
    with pytest.raises(DataError, match=r"nearest: sea-shell"):
        LEGEND.class_id("shell")
    with pytest.raises(DataError, match=r"Received: 'qqqq'$"):
        LEGEND.class_id("qqqq")


@pytest.mark.parametrize(
    "content", [{}, {"class_names": [], "palette": []}, {"class_names": ["a"], "palette": []}]
)
def test_malformed(content):
    with pytest.raises((KeyError, ValueError)):
        Legend.from_json(content)


def test_what_stands_for_each_class_in_files():
    assert LEGEND.file_ids == (255, 0, 1, 2)
    assert Legend(("a", "b"), ((0, 0, 0), (1, 1, 1))).file_ids == (0, 1)
    # Cityscapes has two ids of class 0; a folder without unlabelled pixels has none.
    two = Legend(("a", "b"), ((0, 0, 0), (1, 1, 1)), {255: 0, 0: 0, 7: 1})
    assert two.file_ids == (0, 7)
    none = Legend(("a", "b"), ((0, 0, 0), (1, 1, 1)), {0: 1})
    assert none.file_ids == (65535, 0)
    np.testing.assert_array_equal(none.to_ours(np.array([[65535, 0]])), [[0, 1]])


def test_default_colours_decide_nothing():
    """They are nobody's class list: label files cannot be meant to have them."""
    assert Legend.coloured(("unlabelled", "sky")).label_colours is None
    assert LEGEND.label_colours[255] == (40, 40, 40) and LEGEND.label_colours[2] == (7, 8, 9)
    assert replace(LEGEND, label_palette={0: (5, 5, 5)}).label_colours == {0: (5, 5, 5)}


CHAIRS = Legend.coloured(("unlabelled", "chair, seat", "road", "c#", "sofa,bed", "bed"))


@pytest.mark.parametrize(
    "text, names",
    [
        ("road", ["road"]),
        ("chair, seat", ["chair, seat"]),
        ("Road,CHAIR,seat", ["road", "chair, seat"]),
        ("chair,seat#2, road#1", ["chair, seat#2", "road#1"]),
        ("c#, c##2", ["c#", "c##2"]),
        ("sofa, bed", ["sofa,bed"]),
        ("sofa,bed,bed", ["sofa,bed", "bed"]),
        ("chair,road", ["chair", "road"]),  # no list of classes: told later which is none
    ],
)
def test_lists_of_names(text, names):
    assert CHAIRS.split_names(text) == names


def test_a_list_of_two_meanings():
    legend = Legend.coloured(("unlabelled", "chair", "seat", "chair, seat"))
    assert legend.split_names("seat,chair") == ["seat", "chair"]
    with pytest.raises(DataError) as caught:
        legend.split_names("chair, seat")
    assert str(caught.value).endswith("which is 'chair, seat' or 'chair' and 'seat'")
