"""Where people keep their pictures and label maps."""

import pytest

from data_pipeline.datasets.folder import open_folder
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import blocks, picture, save_ids, write_folder


def write(root, pairs):
    for i, (image, label) in enumerate(pairs):
        picture(root / image, i)
        save_ids(root / label, blocks(0, 1, 2))
    (root / "class_names.txt").write_text("sky\nroad\ntree\n")
    return root


def names(root, **options):
    dataset = open_folder(root, None, **options)
    return {split: [item.name for item in items] for split, items in dataset.items.items()}


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val", "val2017"])
def test_names_of_the_second_split(tmp_path, val):
    root = write(tmp_path, [(f"images/{s}/{s}.jpg", f"labels/{s}/{s}.png") for s in ("train", val)])
    assert names(root) == {"train": ["train"], "val": [val]}


def test_label_maps_may_call_the_split_otherwise(tmp_path):
    write(tmp_path, [("images/val/a.jpg", "masks/validation/a.png")])
    assert names(tmp_path) == {"val": ["a"]}


@pytest.mark.parametrize("labels", ["labels", "masks"])
def test_without_splits_all_is_train(tmp_path, labels):
    write(tmp_path, [(f"images/{n}.jpg", f"{labels}/{n}.png") for n in ("a", "city/b")])
    assert names(tmp_path) == {"train": ["a", "city/b"]}


def test_splits_around_the_folders(tmp_path):
    write(tmp_path, [(f"{s}/images/a.jpg", f"{s}/masks/a.png") for s in ("train", "valid")])
    assert names(tmp_path) == {"train": ["a"], "val": ["a"]}


def test_pictures_and_label_maps_in_one_folder(tmp_path):
    write(tmp_path, [(f"{s}/{s}.jpg", f"{s}/{s}_mask.png") for s in ("train", "valid")])
    with pytest.raises(DataError, match="All of them are pairs with --label_suffix=_mask"):
        names(tmp_path)
    assert names(tmp_path, label_suffix="_mask") == {"train": ["train"], "val": ["valid"]}


def test_what_is_of_no_split_is_told(tmp_path):
    root = write_folder(tmp_path)
    picture(root / "images/test/a.jpg")
    picture(root / "images/unused/a.jpg")
    assert open_folder(root, None).left_out == ("images/test", "images/unused")


def test_of_two_folders_of_labels_the_one_with_label_maps_counts(tmp_path):
    write(tmp_path, [("images/a.jpg", "masks/a.png")])
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("boxes")
    assert names(tmp_path) == {"train": ["a"]}
    save_ids(tmp_path / "labels/a.png", blocks(1))
    with pytest.raises(DataError, match="one of labels and masks. Received: labels and masks"):
        names(tmp_path)


def test_what_is_missing_or_there_twice(tmp_path):
    write(tmp_path, [("images/val/a.jpg", "labels/val/a.png")])
    with pytest.raises(DataError, match="Received: no train"):
        open_folder(tmp_path, ("train", "val"))
    (tmp_path / "images/valid").mkdir()
    with pytest.raises(DataError, match="one directory for val. Received: val and valid"):
        names(tmp_path)


def test_partly_linked_trees(tmp_path):
    root = write(tmp_path / "own", [("images/train/a/1.jpg", "labels/train/a/1.png")])
    write(tmp_path / "disk", [("images/2.jpg", "labels/2.png")])
    for kind in ("images", "labels"):
        (root / kind / "train/b").symlink_to(tmp_path / "disk" / kind)
        (root / kind / "val").symlink_to(tmp_path / "disk" / kind)
    assert names(root) == {"train": ["a/1", "b/2"], "val": ["2"]}
