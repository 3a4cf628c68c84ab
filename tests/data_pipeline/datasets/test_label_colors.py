"""Exports in Cityscapes' layout, whose labels are others and are numbered by position."""

import numpy as np
import pytest

from data_pipeline.datasets.cityscapes import LEGEND, open_cityscapes
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import blocks, save_ids, write_cityscapes


@pytest.fixture
def source(tmp_path):
    return write_cityscapes(tmp_path / "export")


def read(source, lines, *ids):
    """The data set and the first label map, whose file holds stripes of `ids`."""
    (source / "label_colors.txt").write_text("\n".join(lines))
    for path in (source / "gtFine/train").rglob("*_labelIds.png"):
        save_ids(path, blocks(*ids))
    dataset = open_cityscapes(source, ("train",))
    return dataset, dataset.load(dataset.items["train"][0])[1]


def test_without_the_list_ids_are_those_of_cityscapes(source):
    assert open_cityscapes(source, None).class_names == LEGEND.class_names


def test_names_alone_count_from_one(source):
    dataset, labels = read(source, ["\ufeff sky", " traffic light", " car", ""], 0, 1, 2, 3)
    assert dataset.class_names == ("unlabelled", "sky", "traffic light", "car")
    assert (dataset.palette, dataset.label_ids) == (None, {0: 0, 1: 1, 2: 2, 3: 3})
    np.testing.assert_array_equal(labels, blocks(0, 1, 2, 3))


@pytest.mark.parametrize(
    "lines, palette",
    [
        # As CVAT writes it; the background not black; and not listed.
        (["# r g b label_name", "0 0 0 background", "9 9 9 sky", "8 8 8 big car"], (0, 0, 0)),
        (["9 9 9 sky", "8 8 8 big car", "7 7 7 background"], (0, 0, 0)),
        (["9 9 9 sky", "8 8 8 big car"], (0, 0, 0)),
    ],
)
def test_colours_and_the_background(source, lines, palette):
    dataset, labels = read(source, lines, 1, 0, 2)
    assert dataset.class_names == ("unlabelled", "sky", "big car")
    assert dataset.palette == (palette, (9, 9, 9), (8, 8, 8))
    np.testing.assert_array_equal(labels, blocks(1, 0, 2))


def test_more_than_one_label_for_nothing(source):
    lines = ["0 0 0 background", "9 9 9 sky", "1 1 1 void", "8 8 8 car"]
    dataset, labels = read(source, lines, 3, 2, 1, 4)
    assert dataset.class_names == ("unlabelled", "sky", "car")
    assert dataset.palette == ((0, 0, 0), (9, 9, 9), (8, 8, 8))
    # Position 4 is beyond the list: beyond our classes too, and told back as 4 by the shift.
    np.testing.assert_array_equal(labels, blocks(2, 0, 1, 4 + dataset.id_shift))
    assert 4 + dataset.id_shift == 3


def test_ids_of_cityscapes_with_another_list_are_refused(run, source, out):
    (source / "label_colors.txt").write_text(" sky\n road\n")
    code, _, error = run("cityscapes", source, out)
    assert code == 2 and not out.exists()
    assert "at most 2" in error and "id 33: " in error and "id 255: " in error


@pytest.mark.parametrize(
    "lines, message",
    [
        (["9 9 9 sky", "0 0 0 road"], "first label must be the background: 'sky'"),
        (["9 9 9 sky", "road"], "all lines must be 'R G B NAME'"),
        (["9 9 9 sky", "8 8 8 sky"], "distinct: 'sky' twice"),
        (["# nothing"], "labels must be listed"),
    ],
)
def test_malformed_list(source, lines, message):
    with pytest.raises(DataError, match=message) as caught:
        read(source, lines, 0)
    assert str(source / "label_colors.txt") in str(caught.value)
