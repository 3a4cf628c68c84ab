"""Mapillary Vistas: the config's colours, and palettes that tools have renumbered."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.mapillary import open_mapillary
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import HEIGHT, WIDTH, blocks, picture, save_ids, write_mapillary

BIRD, ROAD, BLACK = (165, 42, 42), (128, 64, 128), (0, 0, 0)


@pytest.fixture
def source(tmp_path):
    return write_mapillary(tmp_path / "vistas")


def config(source, change, name="config.json"):
    content = json.loads((source / "config.json").read_text())
    change(content)
    (source / name).write_text(json.dumps(content))


def first(source):
    dataset = open_mapillary(source, ("train",))
    return dataset.load(dataset.items["train"][0])[1]


def store(source, indices, palette):
    mask = Image.fromarray(indices.astype(np.uint8)).convert("P")
    mask.putpalette(np.array(palette, np.uint8).ravel().tolist())
    mask.save(source / "training/labels/0.png")


def test_classes_and_splits(source):
    dataset = open_mapillary(source, None)
    assert dataset.class_names == ("unlabelled", "Bird", "Road")
    assert dataset.palette == (BLACK, BIRD, ROAD)
    assert {split: len(items) for split, items in dataset.items.items()} == {"train": 2, "val": 2}
    assert [dataset.label_ids[i] for i in (0, 1, 2)] == [1, 2, 0]
    image, labels = dataset.load(dataset.items["val"][0])
    np.testing.assert_array_equal(labels, blocks(1, 2, 0))  # the file's 0, 1, 2
    assert image.size == (WIDTH, HEIGHT)


def test_a_renumbered_palette_and_rgb(source):
    store(source, blocks(0, 1, 0), [ROAD, BLACK])
    np.testing.assert_array_equal(first(source), blocks(2, 0, 2))
    Image.fromarray(np.array([ROAD, BIRD], np.uint8)[blocks(0, 1)]).save(
        source / "training/labels/0.png"
    )
    np.testing.assert_array_equal(first(source), blocks(2, 1))


def test_all_unlabelled_may_be_stored_as_grey(source):
    save_ids(source / "training/labels/0.png", blocks(0))  # black, not the bird of index 0
    np.testing.assert_array_equal(first(source), blocks(0))
    save_ids(source / "training/labels/0.png", blocks(0, 1))
    with pytest.raises(DataError, match=r"(?s)0.png: every colour .*\(1, 1, 1\): 1200 pixels"):
        first(source)


def test_two_classes_of_one_colour_are_told_apart_by_the_palette_alone(source):
    config(source, lambda c: c["labels"][0].update(color=list(ROAD)))
    store(source, blocks(1, 0, 2), [ROAD, ROAD, BLACK])
    np.testing.assert_array_equal(first(source), blocks(2, 1, 0))
    store(source, blocks(1, 0), [ROAD, BLACK])
    with pytest.raises(DataError, match=r"(?s)0.png: .*\(128, 64, 128\): 1200 pixels, of several"):
        first(source)


def test_the_newest_release_of_two(source):
    def add(content):
        content["labels"].insert(0, {"name": "a--b", "readable": "B", "color": [1, 2, 3]})

    config(source, add, "config_v2.0.json")
    assert len(open_mapillary(source, None).class_names) == 3  # no label maps of v2.0 yet
    for split in ("training", "validation"):
        (source / split / "labels").rename(source / split / "moved")
        (source / split / "v2.0").mkdir()
        (source / split / "moved").rename(source / split / "v2.0/labels")
    assert open_mapillary(source, None).class_names == ("unlabelled", "B", "Bird", "Road")
    np.testing.assert_array_equal(first(source), blocks(2, 3, 0))  # by colour: one further on


def test_names_where_readable_ones_are_not_distinct(source):
    config(source, lambda c: c["labels"][0].update(readable="Road"))
    names = open_mapillary(source, None).class_names
    assert names == ("unlabelled", "object--bird", "flat--road")


def test_without_partner(source):
    (source / "training/labels/1.png").unlink()
    with pytest.raises(DataError, match=r"training/images/1.jpg has no label map"):
        open_mapillary(source, None)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.pop("labels"), "a list 'labels'"),
        (lambda c: c["labels"][1].update(color=[1, 2, 256]), r"'color' \[r, g, b\]"),
        (lambda c: [entry.pop("name") for entry in c["labels"]], "3 problems"),
    ],
)
def test_malformed_config(source, change, message):
    config(source, change)
    with pytest.raises(DataError, match=message) as caught:
        open_mapillary(source, None)
    assert str(source / "config.json") in str(caught.value)


def test_no_config_and_sizes_that_differ(source):
    picture(source / "training/images/0.jpg", size=(HEIGHT, WIDTH + 1))
    with pytest.raises(DataError, match="40x61 in .*0.jpg and 40x60 in .*0.png"):
        first(source)
    (source / "config.json").unlink()
    with pytest.raises(DataError, match="must hold one of config_v2.0.json"):
        open_mapillary(source, None)
