"""COCO instances of anyone's categories, wherever tools put the JSON and the pictures."""

import json

import numpy as np
import pytest
from pycocotools import mask as coco

from data_pipeline.datasets.coco import open_coco
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import HEIGHT, WIDTH, coco_content, picture, write_coco


@pytest.fixture
def source(tmp_path):
    return write_coco(tmp_path / "export")


def rewrite(source, change, split="train"):
    path = source / "annotations" / f"instances_{split}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def painted(sky=1, car=2):
    """What `coco_content` shows: the car in x 0 to 30, y 0 to 20; later the sky from x 20 to 50."""
    labels = np.zeros((HEIGHT, WIDTH), int)
    labels[:20, :30] = car
    labels[:20, 20:50] = sky
    return labels


def test_classes_in_the_order_of_the_ids(source):
    dataset = open_coco(source, None)
    assert dataset.class_names == ("unlabelled", "sky", "car")  # ids 4 and 9
    assert [item.name for item in dataset.items["val"]] == ["val/0", "val/1"]
    image, labels = dataset.load(dataset.items["train"][0])
    np.testing.assert_array_equal(labels, painted())
    assert image.size == (WIDTH, HEIGHT)


def test_id_zero_background_and_one_name_twice(source):
    for split in ("train", "val"):
        rewrite(
            source,
            lambda c: c["categories"].extend(
                {"id": i, "name": n} for i, n in ((0, "roads"), (1, "Background"), (12, "car"))
            ),
            split,
        )
    rewrite(source, lambda c: c["annotations"][1].update(category_id=12))
    rewrite(source, lambda c: c["annotations"][3].update(category_id=1))
    dataset = open_coco(source, None)
    assert dataset.class_names == ("unlabelled", "roads", "sky", "car")
    maps = [dataset.load(item)[1] for item in dataset.items["train"]]
    np.testing.assert_array_equal(maps[0], painted(sky=3, car=3))
    np.testing.assert_array_equal(maps[1], painted(sky=0, car=3))


def test_polygons_runs_and_crowds_in_file_order(source):
    random = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.4
    runs = coco.encode(np.asfortranarray(random.astype(np.uint8)))
    columns = [0, 10 * HEIGHT, HEIGHT * (WIDTH - 10)]  # x 0 to 10

    def change(content):
        first, second, *_ = content["annotations"]
        text = {"size": [HEIGHT, WIDTH], "counts": runs["counts"].decode()}
        first.update(segmentation=text, iscrowd=1)
        second.update(segmentation={"size": [HEIGHT, WIDTH], "counts": columns}, iscrowd=1)

    rewrite(source, change)
    expected = np.where(random, 2, 0)
    expected[:, :10] = 1
    dataset = open_coco(source, None)
    np.testing.assert_array_equal(dataset.load(dataset.items["train"][0])[1], expected)


def roboflow(root):
    for folder, split in (("train", "train"), ("valid", "val"), ("test", "test")):
        content = coco_content(split)
        for image in content["images"]:
            image["file_name"] = f"{image['id']}_jpg.rf.0a1b.jpg"  # the same in both folders
            seed = 10 * (split == "val") + image["id"]
            picture(root / folder / image["file_name"], seed, (HEIGHT, WIDTH))
        save(root / folder / "_annotations.coco.json", content)


def label_studio(root):
    content = coco_content()
    for image in content["images"]:
        picture(root / "images" / f"{image['id']}.jpg", image["id"])
        image["file_name"] = f"..\\..\\data\\upload\\{image['id']}.jpg"
    save(root / "result.json", content)


def cvat(root):
    content = coco_content()
    for image in content["images"]:
        picture(root / "images/default/shots" / f"{image['id']}.jpg", image["id"])
        image["file_name"] = f"shots/{image['id']}.jpg"
    save(root / "annotations/instances_default.json", content)
    save(root / "annotations/.ipynb_checkpoints/instances_default.json", {})
    save(root / "annotations/person_keypoints_default.json", {})


def as_published(root):
    for split in ("train", "val"):
        content = coco_content(split)
        for image in content["images"]:
            image["file_name"] = f"{split}_{image['id']:012d}.jpg"
            picture(root / f"{split}2017" / image["file_name"], image["id"])
        save(root / f"annotations/instances_{split}2017.json", content)
        save(root / f"annotations/captions_{split}2017.json", {})


@pytest.mark.parametrize(
    "write, pictures",
    [
        (roboflow, {"train": "train/0_jpg.rf.0a1b.jpg", "val": "valid/0_jpg.rf.0a1b.jpg"}),
        (label_studio, {"train": "images/0.jpg"}),
        (cvat, {"train": "images/default/shots/0.jpg"}),
        (
            as_published,
            {"train": "train2017/train_000000000000.jpg", "val": "val2017/val_000000000000.jpg"},
        ),
    ],
)
def test_layouts(tmp_path, write, pictures):
    write(tmp_path)
    dataset = open_coco(tmp_path, None)
    found = {split: items[0].image for split, items in dataset.items.items()}
    assert found == {split: tmp_path / name for split, name in pictures.items()}
    for items in dataset.items.values():
        assert len(items) == 2
        np.testing.assert_array_equal(dataset.load(items[0])[1], painted())


def test_one_name_in_two_folders_that_nothing_tells_apart(tmp_path):
    label_studio(tmp_path)
    picture(tmp_path / "copies/0.jpg")
    with pytest.raises(
        DataError, match=r"upload.0.jpg must be one picture: .*copies/0.jpg, .*images/0.jpg"
    ):
        open_coco(tmp_path, None)


def test_links_to_directories(tmp_path):
    source = write_coco(tmp_path / "export")
    (source / "images").rename(tmp_path / "elsewhere")
    (source / "images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(source)
    assert open_coco(source, None).items["train"][0].image == source / "images/train/0.jpg"


def test_missing_pictures_are_named_and_can_be_skipped(source):
    (source / "images/val/1.jpg").unlink()
    with pytest.raises(DataError, match=r"(?s)1 of 4 pictures.*--skip_missing.*val/1.jpg"):
        open_coco(source, None)
    dataset = open_coco(source, None, skip_missing=True)
    assert dataset.missing == ("val/1.jpg",) and len(dataset.items["val"]) == 1
    (source / "images/val/0.jpg").unlink()
    with pytest.raises(DataError, match="instances_val.json must name pictures that exist"):
        open_coco(source, None, skip_missing=True)


def test_no_picture_is_that_of_two_images(tmp_path):
    """Not found where it should be, val's 0.jpg must not become train's 0.jpg without a word."""
    roboflow(tmp_path)
    (tmp_path / "valid/0_jpg.rf.0a1b.jpg").unlink()
    (tmp_path / "test/0_jpg.rf.0a1b.jpg").unlink()
    with pytest.raises(DataError, match=r"train/0_jpg.* must be one image's.*train/_ann.*valid/_a"):
        open_coco(tmp_path, None, skip_missing=True)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c["annotations"][1].update(image_id=7), r"1 \(image 7\).*image_id: 7"),
        (lambda c: c["annotations"][1].update(category_id=5), r"1 \(image 0\).*category_id: 5"),
        (lambda c: c["annotations"][1].update(segmentation=[]), r"1 \(image 0\).*only a box: \[\]"),
        (lambda c: c["annotations"][1].pop("segmentation"), "only a box: None"),
        (lambda c: c["images"][0].update(height="40"), "image 0 .*'40' and 60"),
        (lambda c: c["images"][1].update(id=0), "unique: 0 twice"),
        (lambda c: c["images"][0].pop("file_name"), "an 'id' and a 'file_name'"),
        (lambda c: c["images"][1].update(file_name="train/0.jpg"), "one name: train/0.jpg"),
        (lambda c: c["categories"][0].update(name="truck"), "category 9.*'truck' and 'car'"),
        (lambda c: c["categories"][0].update(id="9"), "an int 'id'"),
        (lambda c: c.pop("annotations"), "'annotations'"),
    ],
)
def test_malformed_json_names_the_file(source, change, message):
    path = rewrite(source, change)
    with pytest.raises(DataError, match=message) as caught:
        open_coco(source, None)
    assert "annotations/instances_" in str(caught.value) and str(path.parent) in str(caught.value)


def test_all_problems_of_all_files_at_once(source):
    rewrite(source, lambda c: c["annotations"][0].update(segmentation=None))
    rewrite(source, lambda c: c["images"][0].update(width=0), "val")
    with pytest.raises(DataError, match="2 problems") as caught:
        open_coco(source, None)
    assert "instances_train.json: annotation 0 (image 0)" in str(caught.value)
    assert "instances_val.json: image 0 (val/0.jpg)" in str(caught.value)


def test_a_malformed_outline_names_file_and_annotation(source):
    path = rewrite(source, lambda c: c["annotations"][1].update(segmentation=[[1] * 7]))
    dataset = open_coco(source, None)
    with pytest.raises(DataError, match=r"annotation 1 .*three points") as caught:
        dataset.load(dataset.items["train"][0])
    assert str(path) in str(caught.value)


def test_no_and_several_json_files(source):
    with pytest.raises(DataError, match="Received: no JSON file"):
        open_coco(source / "images", None)
    save(source / "annotations/instances_train_2.json", coco_content())
    with pytest.raises(DataError, match="2 files for train: .*train.json, .*train_2.json"):
        open_coco(source, None)
    for path in source.glob("annotations/*train*"):
        path.unlink()
    assert list(open_coco(source, None).items) == ["val"]
    with pytest.raises(DataError, match="0 files for train: none"):
        open_coco(source, ("train", "val"))


def test_annotations_without_outline_can_be_left_out(source):
    rewrite(source, lambda c: c["annotations"][1].update(segmentation=[]))
    dataset = open_coco(source, None, skip_broken=True)
    assert len(dataset.broken) == 1 and "annotation 1 (image 0)" in dataset.broken[0]
    labels = dataset.load(dataset.items["train"][0])[1]
    assert [dataset.class_names[i] for i in np.unique(labels)] == ["unlabelled", "car"]
