"""Masks in Pascal VOC's layout: whichever way they are stored, the colours say the class."""

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.voc import open_voc, voc_colour
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import HEIGHT, WIDTH, blocks, picture, save_ids, write_voc

# The first colours of VOC's map, as its development kit prints them, and that of the border.
KNOWN = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128)]


@pytest.fixture
def source(tmp_path):
    return write_voc(tmp_path / "voc")


def first(source, split="train"):
    dataset = open_voc(source, (split,))
    return dataset.load(dataset.items[split][0])[1]


def store(source, colours, form="RGB", name="train_0"):
    """Saves a mask of vertical stripes of colours as RGB, or as a palette in any order."""
    places = blocks(*range(len(colours)))
    path = source / "SegmentationClass" / f"{name}.png"
    if form == "RGB":
        Image.fromarray(np.array(colours, np.uint8)[places]).save(path)
        return
    order = np.arange(len(colours))[:: -1 if form == "reversed" else 1]
    mask = Image.fromarray(order[places].astype(np.uint8)).convert("P")
    mask.putpalette(np.array(colours, np.uint8)[order].ravel().tolist())
    mask.save(path)


def label_map(source, *lines):
    (source / "labelmap.txt").write_text("\n".join(lines))


def test_colour_map():
    assert [voc_colour(i) for i in range(6)] == KNOWN and voc_colour(255) == (224, 224, 192)


def test_splits_classes_and_colours(source):
    dataset = open_voc(source, None)
    assert {split: [item.name for item in items] for split, items in dataset.items.items()} == {
        "train": ["train_0", "train_1"],
        "val": ["val_0", "val_1"],
    }
    assert dataset.class_names == ("unlabelled", "sky", "road")
    assert dataset.palette == ((0, 0, 0), (10, 20, 30), (250, 250, 0))
    assert dataset.label_ids == {0: 0, 1: 1, 2: 2, 255: 0}
    image, labels = dataset.load(dataset.items["val"][0])
    np.testing.assert_array_equal(labels, blocks(0, 1, 2))
    assert image.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("form", ["RGB", "palette", "reversed"])
def test_colours_decide_in_every_form(source, form):
    store(source, [(250, 250, 0), (224, 224, 192), (10, 20, 30), (0, 0, 0)], form)
    np.testing.assert_array_equal(first(source), blocks(2, 0, 1, 0))


def test_background_need_not_be_the_first(source):
    label_map(source, "sky:0,128,0::", "Background:128,0,0::", "road:9,9,9::")
    store(source, [(0, 128, 0), (128, 0, 0), (9, 9, 9), (0, 0, 0)])
    np.testing.assert_array_equal(first(source), blocks(1, 0, 2, 0))
    assert open_voc(source, None).label_ids == {0: 1, 1: 0, 2: 2, 255: 0}


@pytest.mark.parametrize(
    "lines", [["background:::", "sky:::", "road:::"], ["background", "sky", "road"]]
)
def test_without_colours_they_are_those_of_voc(source, lines):
    label_map(source, "\ufeff# label:color_rgb:parts:actions", *lines)
    store(source, [KNOWN[2], KNOWN[1], (224, 224, 192)])
    np.testing.assert_array_equal(first(source), blocks(2, 1, 0))
    save_ids(source / "SegmentationClass/train_0.png", blocks(2, 1, 255, 0))  # grey: positions
    np.testing.assert_array_equal(first(source), blocks(2, 1, 0, 0))


def test_the_twenty_classes_of_the_challenge(tmp_path):
    source = write_voc(tmp_path / "VOC2012")
    (source / "labelmap.txt").unlink()
    store(source, [voc_colour(7), voc_colour(20), voc_colour(255), voc_colour(15)], "reversed")
    dataset = open_voc(source, None)
    assert len(dataset.class_names) == 21 and dataset.class_names[15] == "person"
    np.testing.assert_array_equal(first(source), blocks(7, 20, 0, 15))


def test_greys_that_are_ids_and_colours(source):
    label_map(source, "background:0,0,0::", "sky:2,2,2::", "road:1,1,1::")
    save_ids(source / "SegmentationClass/train_0.png", blocks(0, 1, 2))
    with pytest.raises(DataError, match=r"train_0.png: a grey .*\[0, 1, 2\], which can be both"):
        first(source)
    save_ids(source / "SegmentationClass/train_0.png", blocks(0, 0, 255))
    np.testing.assert_array_equal(first(source), blocks(0, 0, 0))


def test_a_strange_colour(source):
    store(source, [(0, 0, 0), (10, 20, 31)])
    with pytest.raises(DataError, match=r"(?s)train_0.png.*\(10, 20, 31\): 1200 pixels"):
        first(source)  # 40 rows, half of the 60 columns


def test_one_list_of_another_name_is_train(source):
    folder = source / "ImageSets/Segmentation"
    (folder / "train.txt").rename(folder / "default.txt")
    (folder / "val.txt").rename(folder / "trainval.txt")
    assert {s: len(items) for s, items in open_voc(source, None).items.items()} == {"train": 2}


def test_without_lists_all_masks_are_train(source):
    for path in (source / "ImageSets/Segmentation").iterdir():
        path.unlink()
    picture(source / "JPEGImages/not_labelled.jpg")
    assert {s: len(items) for s, items in open_voc(source, None).items.items()} == {"train": 4}
    with pytest.raises(DataError, match="val must have masks: none are listed"):
        open_voc(source, ("val",))


def test_all_that_is_missing_is_named(source):
    (source / "JPEGImages/train_1.jpg").unlink()
    (source / "SegmentationClass/val_0.png").unlink()
    with pytest.raises(DataError, match="2 problems") as caught:
        open_voc(source, None)
    assert f"train.txt: train_1 must have a picture: no {source}/JPEGImages/train_1" in str(
        caught.value
    )
    assert f"val.txt: val_0 must have a mask: no {source}/SegmentationClass/val_0" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "lines, message",
    [
        (["background:0,0,0::", "sky:::"], "a colour, or none: sky not"),
        (["sky:::", "road:::"], "the first must be background.*'sky'"),
        (["background:0,0,0::", "sky:0,0,256::", ":1,1,1::"], r"(?s)2 problems.*'sky:0,0,256::'"),
        (["background:0,0,0::", "sky:1,1,1::", "road:1,1,1::"], r"distinct: \(1, 1, 1\) twice"),
        (["background:0,0,0::", "sky:1,1,1::", "sky:2,1,1::"], "distinct: sky twice"),
        (["# nothing"], "1 to 255 labels. Received: 0"),
    ],
)
def test_malformed_label_map(source, lines, message):
    label_map(source, *lines)
    with pytest.raises(DataError, match=message) as caught:
        open_voc(source, None)
    assert str(source / "labelmap.txt") in str(caught.value)


def test_no_label_map(source):
    (source / "labelmap.txt").unlink()
    with pytest.raises(DataError, match="must hold labelmap.txt"):
        open_voc(source, None)


def test_sizes_that_differ(source):
    picture(source / "JPEGImages/train_0.jpg", size=(HEIGHT, WIDTH + 1))
    with pytest.raises(DataError, match="40x61 in .*train_0.jpg and 40x60 in .*train_0.png"):
        first(source)


def test_what_has_no_mask_or_no_picture_can_be_left_out(tmp_path):
    source = write_voc(tmp_path)
    (source / "SegmentationClass/train_0.png").unlink()
    with pytest.raises(DataError, match="train_0 must have a mask"):
        open_voc(source, None)
    dataset = open_voc(source, None, skip_unpaired=True)
    assert [item.name for item in dataset.items["train"]] == ["train_1"]
    assert len(dataset.unpaired) == 1


def test_masks_in_jpeg_are_told_why_not(tmp_path):
    source = write_voc(tmp_path)
    path = source / "SegmentationClass/train_0.png"
    Image.open(path).save(path.with_suffix(".jpg"))
    path.unlink()
    with pytest.raises(DataError, match=r"(?s)train_0 must have a mask.*must be PNG files.*JPEG"):
        open_voc(source, None)
