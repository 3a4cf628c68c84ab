"""What the tools really write: the exports beside the repository; skipped loudly where absent."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets import DATASETS


@pytest.fixture
def exports(shared):
    path = shared / "data/label_exports"
    if not path.is_dir():
        pytest.skip(f"NO EXPORTS of labelling tools at {path}")
    return path


@pytest.mark.parametrize(
    "name, folder",
    [
        ("voc", "voc_segmentation"),
        ("cityscapes", "cityscapes"),
        ("coco", "coco_instances"),
        ("coco_panoptic", "coco_panoptic"),
    ],
)
def test_every_pixel_is_as_expected(exports, name, folder):
    dataset = DATASETS[name].open(exports / folder, None)
    assert dataset.class_names == ("unlabelled", "sky", "road", "car")
    assert {split: len(items) for split, items in dataset.items.items()} == {"train": 2, "val": 1}
    with np.load(exports / "expected_ids.npz") as expected:
        for item in dataset.items["train"] + dataset.items["val"]:
            np.testing.assert_array_equal(dataset.load(item)[1], expected[item.name])


def test_labelme(exports):
    dataset = DATASETS["labelme"].open(exports / "labelme", None)
    names = json.loads((exports / "labelme/expected_names.json").read_text())
    assert dataset.class_names[1:] == tuple(sorted(names, key=names.get))[1:]
    with np.load(exports / "labelme/expected_ids.npz") as expected:
        for item in dataset.items["train"]:
            wanted = expected[item.name]
            dog = item.shapes[-1]
            with Image.open(io.BytesIO(base64.b64decode(dog["mask"]))) as mask:
                if not np.asarray(mask).any():
                    # The files' dog is a PNG without a pixel set, unlike what `wanted` was made
                    # of: what lies beneath it shows.
                    assert set(wanted[wanted == dog["id"]]) == {dog["id"]}
                    wanted = np.where(wanted == dog["id"], names["lawn"], wanted)
            np.testing.assert_array_equal(dataset.load(item)[1], wanted)
