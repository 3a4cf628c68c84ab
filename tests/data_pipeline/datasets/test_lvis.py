import json

import numpy as np
import pytest

from data_pipeline.datasets.lvis import find_json, open_lvis
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import HEIGHT, WIDTH, lvis_content, picture, write_lvis


@pytest.fixture
def source(tmp_path):
    return write_lvis(tmp_path / "lvis")


def rewrite(source, change, split="train"):
    path = source / "annotations" / f"lvis_v1_{split}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_later_annotations_paint_over_earlier_ones(source):
    dataset = open_lvis(source, ("train",))
    assert dataset.class_names == (
        *("unlabelled", "class_1", "class_2", "apple", "class_4", "pear"),
    )
    image, labels = dataset.load(dataset.items["train"][0])
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[0:20, 0:30] = 3
    expected[10:30, 20:50] = 5
    np.testing.assert_array_equal(labels, expected)
    assert image.size == (WIDTH, HEIGHT)


def test_image_without_annotation_is_all_unlabelled(source):
    dataset = open_lvis(source, ("train",))
    assert not dataset.load(dataset.items["train"][1])[1].any()


def test_pictures_of_val_may_lie_in_train(source):
    moved = source / "train2017" / "000000000101.jpg"
    (source / "val2017" / "000000000101.jpg").rename(moved)
    assert open_lvis(source, ("val",)).items["val"][0].image == moved


def test_folders_of_an_address_are_not_ours(source):
    rewrite(source, lambda c: c["images"][0].update(coco_url="http://host/a/000000000001.jpg"))
    first = open_lvis(source, ("train",)).items["train"][0]
    assert first.image == source / "train2017/000000000001.jpg"


def test_v05_file_names(tmp_path):
    content = lvis_content()
    for image in content["images"]:
        del image["coco_url"]
        image["file_name"] = f"COCO_val2014_{image['id']:012d}.jpg"
        picture(tmp_path / "val2017" / f"{image['id']:012d}.jpg")
    (tmp_path / "lvis_v0.5_val_100.json").write_text(json.dumps(content))  # no annotations/
    assert [item.name for item in open_lvis(tmp_path, ("val",)).items["val"]] == [
        "000000000001",
        "000000000002",
    ]


def test_several_json_files(tmp_path):
    for name in ("lvis_v0.5_val.json", "lvis_v0.5_val_100.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match="2 files"):
        find_json(tmp_path, "val")
    (tmp_path / "lvis_v1_val.json").write_text("{}")
    assert find_json(tmp_path, "val").name == "lvis_v1_val.json"


def test_missing_pictures_are_named_and_can_be_skipped(source):
    (source / "val2017" / "000000000102.jpg").unlink()
    with pytest.raises(DataError, match=r"(?s)1 of 4 pictures.*val2017/000000000102.jpg"):
        open_lvis(source, None)
    dataset = open_lvis(source, None, skip_missing=True)
    assert dataset.missing == ("val2017/000000000102.jpg",)
    assert [len(dataset.items[split]) for split in ("train", "val")] == [2, 1]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c["annotations"][1].update(image_id=77), "annotation 2 .* image_id.*77"),
        (lambda c: c["annotations"][1].update(category_id=4), "annotation 2 .* category_id.*4"),
        (lambda c: c["annotations"][0].pop("image_id"), "annotation 1 .*image_id.*None"),
        (lambda c: c["annotations"][0].pop("segmentation"), "annotation 1 .*segmentation"),
        (lambda c: c["images"][0].update(height="40"), "image 1 .*'height'.*'40'"),
        (lambda c: c["images"][0].update(width=0), "image 1 .*positive"),
        (lambda c: c["images"][1].update(id=1), "unique.*1 twice"),
        (lambda c: c["images"][0].pop("coco_url"), "image 1 .*coco_url"),
        (lambda c: c["categories"][0].update(id=0), "1 or more.*0"),
        (lambda c: c["categories"][0].update(name="fig"), "'apple' and 'fig'|'fig' and 'apple'"),
        (lambda c: c.pop("annotations"), "annotations"),
        (lambda c: c.update(images=[]), "images"),
    ],
)
def test_malformed_json_names_the_file(source, change, message):
    path = rewrite(source, change)
    with pytest.raises(DataError, match=message) as caught:
        open_lvis(source, None)
    assert str(path) in str(caught.value)


def test_malformed_segmentation_names_file_and_annotation(source):
    path = rewrite(source, lambda c: c["annotations"][1].update(segmentation=[[1] * 7]))
    dataset = open_lvis(source, ("train",))
    with pytest.raises(DataError, match=r"annotation 2 .*three points") as caught:
        dataset.load(dataset.items["train"][0])
    assert str(path) in str(caught.value)


def test_size_other_than_the_json_says(source):
    picture(source / "train2017" / "000000000001.jpg", size=(HEIGHT, WIDTH + 1))
    dataset = open_lvis(source, ("train",))
    with pytest.raises(DataError, match=r"40x61 in .*1.jpg and 40x60 in .*lvis_v1_train.json"):
        dataset.load(dataset.items["train"][0])


def test_not_json(source):
    path = source / "annotations" / "lvis_v1_train.json"
    path.write_text(path.read_text()[:-9])
    with pytest.raises(DataError, match=r"lvis_v1_train.json must be a readable JSON"):
        open_lvis(source, None)


def test_file_names_of_ones_own(source):
    def rename(content):
        for image, name in zip(
            content["images"], ("street_0001.jpg", "city/0001.jpg"), strict=True
        ):
            del image["coco_url"]
            image["file_name"] = name
            picture(source / "train2017" / name, image["id"])

    rewrite(source, rename)
    items = open_lvis(source, ("train",)).items["train"]
    assert [item.name for item in items] == ["street_0001", "city/0001"]
    assert [item.image.relative_to(source).as_posix() for item in items] == [
        "train2017/street_0001.jpg",
        "train2017/city/0001.jpg",
    ]


def test_a_picture_of_another_folder_is_not_taken_for_a_missing_one(source):
    def rename(content):
        del content["images"][0]["coco_url"]
        content["images"][0]["file_name"] = "city/000000000001.jpg"

    rewrite(source, rename)
    with pytest.raises(DataError, match=r"(?s)1 of 2 pictures.*city/000000000001.jpg"):
        open_lvis(source, ("train",))


@pytest.mark.parametrize(
    "segmentation",
    [[], None, [[5, 5, 9, 9]], [[0, 0, 9, 0, 9, 9], [3, 3]], [0, 0, 9, 0, 9, 9]],
)
def test_annotations_that_outline_nothing(source, segmentation):
    def change(content):
        content["annotations"][1]["segmentation"] = segmentation

    path = rewrite(source, change)
    with pytest.raises(DataError, match=r"--skip_broken leaves out.*1 that do not") as caught:
        open_lvis(source, None)
    assert f"{path}: annotation 2 (image 1) must have an outline" in str(caught.value)
    dataset = open_lvis(source, ("train",), skip_broken=True)
    assert len(dataset.broken) == 1
    labels = dataset.load(dataset.items["train"][0])[1]
    assert np.unique(labels).tolist() == [0, 3]  # not 5


def test_all_problems_at_once(source):
    def change(content):
        content["annotations"][0]["image_id"] = 77
        content["annotations"][1].update(category_id=99, segmentation=[])

    rewrite(source, change)
    with pytest.raises(DataError, match=r"3 problems") as caught:
        open_lvis(source, None, skip_broken=True)
    assert "image_id: 77" in str(caught.value) and "category_id: 99" in str(caught.value)
