"""Pictures and label maps without partner, and what is said about them."""

import pytest
from PIL import Image

from data_pipeline.datasets.cityscapes import open_cityscapes
from data_pipeline.datasets.coco_stuff import open_coco_stuff
from data_pipeline.datasets.folder import open_folder
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import (
    blocks,
    save_ids,
    write_cityscapes,
    write_coco_stuff,
    write_folder,
)


@pytest.fixture
def source(tmp_path):
    return write_folder(tmp_path / "own")


def rename_all(folder, pattern, name):
    for path in sorted(folder.rglob(pattern)):
        path.rename(path.with_name(name(path)))


def test_those_of_all_splits_at_once(source):
    (source / "labels/train/train_01.png").unlink()
    (source / "images/val/val_00.jpg").unlink()
    with pytest.raises(DataError, match=r"2 without partner \(1 in train, 1 in val\)") as caught:
        open_folder(source, None)
    text = str(caught.value)
    assert "train_01.jpg has no label map" in text and "val_00.png has no picture" in text
    assert "--skip_unpaired leaves them out" in text
    dataset = open_folder(source, None, skip_unpaired=True)
    names = {split: [item.name for item in items] for split, items in dataset.items.items()}
    assert names == {"train": ["train_00", "train_02"], "val": ["val_01"]}
    assert len(dataset.unpaired) == 2


def test_nothing_is_left_to_skip_to(source):
    for path in (source / "labels/val").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"2 without partner \(2 in val\)"):
        open_folder(source, None, skip_unpaired=True)


def test_jpeg_label_maps_are_told_why_not(source):
    for path in sorted((source / "labels").rglob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"))
        path.unlink()
    with pytest.raises(DataError, match=r"(?s)must be PNG or TIFF files.*JPEG.*Received: 5 others"):
        open_folder(source, None)


def test_a_jpeg_called_png(source):
    path = source / "labels/train/train_00.png"
    Image.open(path).save(path, format="JPEG")
    dataset = open_folder(source, None)
    with pytest.raises(DataError, match="train_00.png.*Received: a picture in JPEG"):
        dataset.load(dataset.items["train"][0])


@pytest.mark.parametrize(
    "of_pictures, of_labels, flags",
    [
        ("", "_mask", "--label_suffix=_mask"),
        ("", "-L", "--label_suffix=-L"),
        ("_leftImg8bit", "", "--image_suffix=_leftImg8bit"),
        ("_leftImg8bit", "_label", "--image_suffix=_leftImg8bit --label_suffix=_label"),
        ("_rgb", " (mask)", "--image_suffix=_rgb --label_suffix=' (mask)'"),
    ],
)
def test_endings_that_explain_everything_are_proposed(source, of_pictures, of_labels, flags):
    rename_all(source / "images", "*.jpg", lambda path: f"{path.stem}{of_pictures}.jpg")
    rename_all(source / "labels", "*.png", lambda path: f"{path.stem}{of_labels}.png")
    with pytest.raises(DataError) as caught:
        open_folder(source, None)
    assert str(caught.value).splitlines()[-1] == f"All of them are pairs with {flags}"
    dataset = open_folder(source, None, image_suffix=of_pictures, label_suffix=of_labels)
    assert [item.name for item in dataset.items["val"]] == ["val_00", "val_01"]


def test_endings_that_do_not_explain_everything_are_not(source):
    rename_all(source / "labels", "*.png", lambda path: f"{path.stem}_mask.png")
    odd = source / "labels/val/val_01_mask.png"
    odd.rename(odd.with_name("val_01_other.png"))
    with pytest.raises(DataError) as caught:
        open_folder(source, None)
    assert "suffix" not in str(caught.value)


def test_train_ids_beside_the_published_maps_are_left_out(tmp_path):
    write_coco_stuff(tmp_path)
    for path in sorted(tmp_path.rglob("*_label/*.png")):
        save_ids(path.with_name(f"{path.stem}_labelTrainIds.png"), blocks(0, 170))
    dataset = open_coco_stuff(tmp_path, None)
    assert [item.label.name for item in dataset.items["val"]] == [f"{i:012d}.png" for i in (0, 1)]


def test_train_ids_in_place_of_the_published_maps(tmp_path):
    write_cityscapes(tmp_path)
    rename_all(
        tmp_path, "*_labelIds.png", lambda path: path.name.replace("labelIds", "labelTrainIds")
    )
    with pytest.raises(DataError, match=r"hold train ids.*label maps as published"):
        open_cityscapes(tmp_path, None)
