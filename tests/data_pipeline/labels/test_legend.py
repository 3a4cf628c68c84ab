"""Names, ids and colours of label files, and what is said about wrong ones."""

import json

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
    for legend in (LEGEND, Legend(("unlabelled",), ((0, 0, 0),))):
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
