"""What the tools really write: the exports beside the repository; skipped loudly where absent."""

import base64
import io
import json
import shutil

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


@pytest.mark.parametrize(
    "name, folder, masks",
    [
        ("voc", "voc_segmentation", "SegmentationClass"),
        ("coco_panoptic", "coco_panoptic", "annotations"),
    ],
)
def test_each_file_may_have_a_palette_of_its_own(exports, run, tmp_path, out, name, folder, masks):
    """The builder compares palettes only where an index is an id, which it is not here."""
    source = tmp_path / "source"
    shutil.copytree(exports / folder, source)
    for turn, path in enumerate(sorted((source / masks).rglob("*.png"))):
        with Image.open(path) as mask:
            colours, indices = np.unique(
                np.asarray(mask).reshape(-1, 3), axis=0, return_inverse=True
            )
        order = np.roll(np.arange(len(colours)), turn)  # index of each colour
        palette = Image.fromarray(order[indices].reshape(mask.height, -1).astype(np.uint8)).convert(
            "P"
        )
        palette.putpalette(colours[np.argsort(order)].ravel().tolist())
        palette.save(path)
    assert run(name, source, out)[0] == 0
    with np.load(exports / "expected_ids.npz") as expected:
        dataset = DATASETS[name].open(source, None)
        for item in dataset.items["train"] + dataset.items["val"]:
            np.testing.assert_array_equal(dataset.load(item)[1], expected[item.name])
