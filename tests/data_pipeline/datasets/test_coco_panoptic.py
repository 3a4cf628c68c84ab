"""COCO panoptic: colours are segment ids, the JSON says their categories."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.coco_panoptic import open_coco_panoptic
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import (
    HEIGHT,
    WIDTH,
    blocks,
    picture,
    save_ids,
    write_coco_panoptic,
)


@pytest.fixture
def source(tmp_path):
    return write_coco_panoptic(tmp_path / "export")


def rewrite(source, change, split="train"):
    path = source / "annotations" / f"panoptic_{split}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def first(source):
    dataset = open_coco_panoptic(source, ("train",))
    return dataset.load(dataset.items["train"][0])[1]


def test_segments_become_classes(source):
    dataset = open_coco_panoptic(source, None)
    assert dataset.class_names == ("unlabelled", "sky", "car")  # ids 4 and 9
    assert [item.name for item in dataset.items["val"]] == ["val/0", "val/1"]
    image, labels = dataset.load(dataset.items["val"][0])
    np.testing.assert_array_equal(labels, blocks(0, 2, 1))  # segments 0, 300, 70000
    assert image.size == (WIDTH, HEIGHT)


def test_the_first_segments_are_reds(source):
    """Ids below 256 have red only, which an optimiser may store as a palette."""
    listed = [{"id": 1, "category_id": 4}, {"id": 2, "category_id": 9}]
    rewrite(source, lambda c: c["annotations"][0].update(segments_info=listed))
    mask = Image.fromarray(blocks(2, 0, 1, 0).astype(np.uint8)).convert("P")
    mask.putpalette([2, 0, 0, 0, 0, 0, 1, 0, 0])  # index 0 is segment 2, index 2 is segment 1
    mask.save(source / "annotations/panoptic_train/0.png")
    np.testing.assert_array_equal(first(source), blocks(1, 2, 0, 2))


def test_pictures_are_png_too(source):
    """Named like the segments, which must not be taken for the picture."""
    for i in (0, 1):
        (source / f"images/train/{i}.jpg").unlink()
        rewrite(source, lambda c, i=i: c["images"][i].update(file_name=f"{i}.png"))
    with pytest.raises(DataError, match="2 of 2 pictures were not found"):
        open_coco_panoptic(source, ("train",))
    picture(source / "images/train/0.png")
    dataset = open_coco_panoptic(source, ("train",), skip_missing=True)
    assert [item.image for item in dataset.items["train"]] == [source / "images/train/0.png"]
    assert dataset.missing == ("1.png",)


def test_segments_directly_in_the_source(source):
    (source / "annotations/panoptic_train").rename(source / "panoptic_train")
    np.testing.assert_array_equal(first(source), blocks(0, 2, 1))


def test_a_segment_that_the_json_does_not_list(source):
    rewrite(source, lambda c: c["annotations"][0]["segments_info"].pop())
    # 40 rows and a third of the 60 columns
    with pytest.raises(DataError, match=r"(?s)train/0.png: .*train.json.*id 70000: 800 pixels"):
        first(source)


def test_sixteen_bits_are_no_segments(source):
    save_ids(source / "annotations/panoptic_train/0.png", blocks(0, 300), np.uint16)
    with pytest.raises(DataError, match=r"train/0.png: segments must be in a PNG of 8 bits.*I;16"):
        first(source)


def test_sizes_that_differ(source):
    picture(source / "images/train/0.jpg", size=(HEIGHT, WIDTH + 1))
    with pytest.raises(DataError, match="40x61 in .*0.jpg and 40x60 in .*panoptic_train/0.png"):
        first(source)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c["annotations"][0].update(image_id=7), "image 7 must name a known"),
        (lambda c: c["annotations"][0].pop("file_name"), "image 0 must have a 'file_name': None"),
        (lambda c: c["annotations"][0].update(segments_info=3), "'segments_info': 3"),
        (
            lambda c: c["annotations"][1]["segments_info"][0].update(category_id=5),
            "image 1: a segment .*300 and 5",
        ),
        (lambda c: c["annotations"][1].update(image_id=0), "one name: train/0.jpg"),
    ],
)
def test_malformed_json_names_the_file(source, change, message):
    path = rewrite(source, change)
    with pytest.raises(DataError, match=message) as caught:
        open_coco_panoptic(source, None)
    assert str(path) in str(caught.value)


def test_all_problems_at_once(source):
    (source / "annotations/panoptic_train/1.png").unlink()
    rewrite(source, lambda c: c["annotations"][0].update(segments_info=[{"id": 1}]), "val")
    with pytest.raises(DataError, match="2 problems") as caught:
        open_coco_panoptic(source, None)
    assert f"no {source}/annotations/panoptic_train/1.png" in str(caught.value)
    assert "panoptic_val.json: the annotation of image 0" in str(caught.value)
