"""What bad input gets: the file's name, exit code 2, no traceback, nothing left behind."""

import numpy as np
import pytest

from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.helpers import records, refused
from tests.data_pipeline.sources import (
    WRITERS,
    blocks,
    picture,
    save_ids,
    write_folder,
    write_lvis,
)


def test_missing_source(run, tmp_path, out):
    error = refused(run, out, "folder", tmp_path / "absent", out)
    assert f"--source must be an existing directory. Received: {tmp_path / 'absent'}" in error


@pytest.mark.parametrize("name", WRITERS)
def test_empty_source(run, tmp_path, out, name):
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / "empty") in refused(run, out, name, tmp_path / "empty", out)


def test_empty_picture_folders(run, source, out):
    for path in (*source.glob("images/train/*"), *source.glob("labels/train/*")):
        path.unlink()
    assert "images/train must hold pictures" in refused(run, out, "folder", source, out)


def test_pictures_and_labels_without_partner(run, source, out):
    (source / "labels/train/train_01.png").unlink()
    (source / "images/val/val_00.jpg").unlink()
    error = refused(run, out, "folder", source, out)
    assert f"{source}/images/train/train_01.jpg has no label map" in error
    assert f"{source}/labels/train/train_01.png" in error
    (source / "images/train/train_01.jpg").unlink()
    error = refused(run, out, "folder", source, out)
    assert f"{source}/labels/val/val_00.png has no picture {source}/images/val/val_00." in error


@pytest.mark.parametrize("workers", [1, 2])
def test_all_damaged_files_are_named_at_once(run, source, out, workers):
    damaged = [source / name for name in ("images/train/train_00.jpg", "labels/val/val_01.png")]
    for path in damaged:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
    (source / "images/train/train_02.jpg").write_text("no picture")
    picture(source / "images/val/val_00.jpg", size=(40, 61))
    error = refused(run, out, "folder", source, out, workers=workers)
    assert "4 of 5 examples cannot be used" in error
    assert all(str(path) in error for path in damaged) and "train_02.jpg" in error
    assert f"40x61 in {source}/images/val/val_00.jpg and 40x60 in {source}/labels/val" in error


def test_rgb_label_map(run, source, out):
    picture(source / "labels/train/train_00.png")
    error = refused(run, out, "folder", source, out)
    assert f"{source}/labels/train/train_00.png: a label map must" in error and "RGB" in error


def test_ids_beyond_the_class_list(run, source, out):
    # 40 rows; three stripes of 20 columns, so 800 pixels each
    save_ids(source / "labels/train/train_00.png", blocks(0, 3, 200))
    save_ids(source / "labels/val/val_00.png", blocks(0, 1, 200))
    error = refused(run, out, "folder", source, out)
    assert "at most 2" in error
    assert "id 3: 800 pixels" in error and "id 200: 1600 pixels" in error
    assert "train_00.png" in error and "val_00.png" in error
    code, summary, _ = run("folder", source, out, "--out_of_range", "unlabelled")
    assert code == 0 and "2400 pixels of ids 3, 200, made unlabelled" in summary
    assert Manifest.read(out).splits["train"].out_of_range == 1600
    assert np.unique(records(out, "val")[0]["label_map"]).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name, bad", [("ade20k", 151), ("coco_stuff", 182), ("cityscapes", 35)])
def test_ids_beyond_the_fixed_class_lists(run, tmp_path, out, name, bad):
    source = WRITERS[name](tmp_path / "source")
    label = next(source.rglob("*_labelIds.png" if name == "cityscapes" else "*.png"))
    save_ids(label, blocks(bad))
    error = refused(run, out, name, source, out)
    assert f"at most {bad - 1}" in error and f"id {bad}: 2400 pixels" in error  # 40 * 60


def test_image_size_that_the_networks_cannot_take(run, source, out):
    error = refused(run, out, "folder", source, out, image_size=(100, 128))
    assert "multiples of 64" in error and "128 128" in error


def test_missing_pictures_of_lvis(run, tmp_path, out):
    source = write_lvis(tmp_path / "lvis", images=3)
    (source / "train2017/000000000002.jpg").unlink()
    assert "train2017/000000000002.jpg" in refused(run, out, "lvis", source, out)
    code, summary, _ = run("lvis", source, out, "--skip_missing")
    assert code == 0 and "1 missing pictures, such as train2017/000000000002.jpg" in summary


def test_bad_number_of_workers(run, source, out):
    assert "--workers must be 1" in refused(run, out, "folder", source, out, workers=0)


def test_broken_examples_can_be_left_out(run, source, out):
    (source / "images/train/train_02.jpg").write_text("no picture")
    picture(source / "images/val/val_00.jpg", size=(40, 61))
    assert "--skip_broken leaves them out" in refused(run, out, "folder", source, out)
    code, summary, _ = run("folder", source, out, "--skip_broken")
    assert code == 0 and "2 train, 1 val" in summary
    assert f"skipped       2 broken examples, such as {source}/images/train/train_02" in summary
    assert [record["name"] for record in records(out, "val")] == [b"val_01"]
    assert len(records(out, "train")) == Manifest.read(out).splits["train"].examples == 2


def test_a_split_of_nothing_but_broken_examples(run, source, out):
    for path in (source / "images/val").iterdir():
        path.write_text("no picture")
    error = refused(run, out, "folder", source, out, "--skip_broken")
    assert "val must have an example that can be used" in error and "val_01.jpg" in error


@pytest.mark.parametrize("flags", [(), ("--out_of_range", "unlabelled")])
@pytest.mark.parametrize(
    "name, ids, encoding",
    [
        ("coco_stuff", (0, 1, 182), "COCO-Stuff's default encoding"),
        ("ade20k", (0, 149, 255), "ADE20K's reduced encoding"),
    ],
)
def test_another_encoding_of_the_same_classes(run, tmp_path, out, name, ids, encoding, flags):
    """Every class would be off by one: no flag is offered, and none helps."""
    source = WRITERS[name](tmp_path / "source")
    for label in source.rglob("*.png"):
        save_ids(label, blocks(*ids))
    error = refused(run, out, name, source, out, *flags)
    assert encoding in error and "--out_of_range" not in error
    assert f"id {ids[-1]}: 3200 pixels" in error  # four files, a third of 40 * 60 each


@pytest.mark.parametrize("ids, told", [((0, 1, 5), True), ((0, 1, 255), False)])
def test_an_encoding_that_cannot_be_told_apart(run, tmp_path, out, ids, told):
    source = WRITERS["coco_stuff"](tmp_path / "source")
    for label in source.rglob("*.png"):
        save_ids(label, blocks(*ids))
    code, summary, _ = run("coco_stuff", source, out)
    assert code == 0 and ("beware        no pixel is 255" in summary) == told


def test_brackets_in_paths(run, tmp_path):
    source = write_folder(tmp_path / "own [1]*?")
    code, summary, _ = run("folder", source, tmp_path / "out [1]*?")
    assert code == 0 and f"--data_dir '{tmp_path}/out [1]*?' --model_dir" in summary
    assert len(records(tmp_path / "out [1]*?", "train")) == 3


def test_pictures_beyond_the_limit_of_pixels(run, source, out, monkeypatch):
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1000)  # Pillow refuses twice as many
    error = refused(run, out, "folder", source, out)
    assert "train_00.jpg must have at most 2,000 pixels; large pictures are cut" in error
    assert "Received: 2400 pixels" in error and "bomb" not in error


def test_half_of_the_limit_is_no_warning(run, source, out, monkeypatch, recwarn):
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 2000)
    assert run("folder", source, out)[0] == 0
    assert not [warning for warning in recwarn if "pixels" in str(warning.message)]
