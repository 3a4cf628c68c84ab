"""ADE20K, COCO-Stuff and Cityscapes: layouts and what their ids become."""

import numpy as np
import pytest

from data_pipeline.datasets.ade20k import open_ade20k
from data_pipeline.datasets.cityscapes import open_cityscapes
from data_pipeline.datasets.coco_stuff import open_coco_stuff
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import write_ade20k, write_cityscapes, write_coco_stuff


def ids_of_first(dataset, split="train"):
    return np.unique(dataset.load(dataset.items[split][0])[1]).tolist()


def test_ade20k_ids_stay(tmp_path):
    write_ade20k(tmp_path / "ADEChallengeData2016")
    for source in (tmp_path, tmp_path / "ADEChallengeData2016"):
        dataset = open_ade20k(source, None)
        assert {split: len(items) for split, items in dataset.items.items()} == {
            "train": 2,
            "val": 2,
        }
        assert len(dataset.class_names) == 151 and dataset.class_names[150] == "flag"
        assert ids_of_first(dataset) == [0, 1, 150]


def test_ade20k_names_are_first_synonyms(tmp_path):
    write_ade20k(tmp_path)
    rows = [f"{i}\t0.1\t1\t1\tthing {i}, other" for i in range(1, 151)]
    (tmp_path / "objectInfo150.txt").write_text("\n".join(["Idx\tRatio\tTrain\tVal\tName", *rows]))
    assert open_ade20k(tmp_path, ("val",)).class_names[:3] == ("unlabelled", "thing 1", "thing 2")
    (tmp_path / "objectInfo150.txt").write_text("\n".join(rows[:9]))
    with pytest.raises(DataError, match=r"objectInfo150.txt must list 150.*8"):
        open_ade20k(tmp_path, ("val",))


@pytest.mark.parametrize(
    "images, labels",
    [
        ("{}_img", "{}_label"),
        ("{}2017", "stuffthingmaps_trainval2017/{}2017"),
        ("images/{}2017", "stuffthingmaps/{}2017"),
    ],
)
def test_coco_stuff_layouts_and_ids(tmp_path, images, labels):
    dataset = open_coco_stuff(write_coco_stuff(tmp_path, 2, images, labels), None)
    assert len(dataset.items["val"]) == 2
    assert ids_of_first(dataset) == [0, 1, 182]  # 255, 0, 181 in the files
    assert [dataset.label_ids[i] for i in (255, 0, 181)] == [0, 1, 182]


def test_coco_stuff_names():
    from data_pipeline.datasets.coco_stuff_names import CLASS_NAMES

    assert len(CLASS_NAMES) == len(set(CLASS_NAMES)) == 183
    known = {1: "person", 12: "street sign", 71: "door", 90: "toothbrush", 92: "banner"}
    known |= {83: "blender", 149: "road", 157: "sky-other", 169: "tree", 182: "wood"}
    assert {i: CLASS_NAMES[i] for i in known} == known


def test_cityscapes_ids(tmp_path):
    dataset = open_cityscapes(write_cityscapes(tmp_path), None)
    assert len(dataset.class_names) == len(dataset.palette) == 35
    assert (dataset.class_names[7], dataset.class_names[26]) == ("road", "car")
    assert ids_of_first(dataset) == [0, 33]  # 255, the licence plate, is 0
    assert dataset.items["train"][0].name == "aachen/aachen_000000_000019"


@pytest.mark.parametrize(
    "open_dataset", [open_ade20k, open_coco_stuff, open_cityscapes], ids=lambda f: f.__name__
)
def test_empty_source(tmp_path, open_dataset):
    with pytest.raises(DataError, match=str(tmp_path)):
        open_dataset(tmp_path, None)


def test_cityscapes_without_partner(tmp_path):
    write_cityscapes(tmp_path)
    label = tmp_path / "gtFine/val/aachen/aachen_000001_000019_gtFine_labelIds.png"
    label.unlink()
    with pytest.raises(DataError, match=r"000001_000019_leftImg8bit.png has no") as caught:
        open_cityscapes(tmp_path, None)
    assert str(label) in str(caught.value)


def test_a_city_that_is_a_link(tmp_path):
    root = write_cityscapes(tmp_path / "cityscapes")
    disk = write_cityscapes(tmp_path / "disk")
    for kind in ("leftImg8bit", "gtFine"):
        (root / kind / "train/bonn").symlink_to(disk / kind / "train/aachen")
    names = [item.name for item in open_cityscapes(root, ("train",)).items["train"]]
    assert names == [f"{city}/aachen_{i:06d}_000019" for city in ("aachen", "bonn") for i in (0, 1)]


def test_names_of_a_windows_editor(tmp_path):
    write_ade20k(tmp_path)
    rows = ["Idx\tName", *(f"{i}\tthing {i}, other" for i in range(1, 151))]
    (tmp_path / "objectInfo150.txt").write_text("\n".join(rows), encoding="utf-8-sig")
    assert open_ade20k(tmp_path, ("val",)).class_names[1] == "thing 1"
