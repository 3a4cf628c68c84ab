"""The real data sets beside the repository; skipped loudly where they are absent."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO

from data_pipeline.datasets.annotation_index import AnnotationIndex
from data_pipeline.datasets.lvis import paint, read_items
from data_pipeline.reading.reader import eval_dataset, train_dataset
from data_pipeline.records.manifest import Manifest


@pytest.mark.parametrize(
    "name, folder, classes, images, flags",
    [
        ("lvis", "lvis_mini", 1204, (100, 100), []),
        ("lvis", "lvis_v05_excerpt", 1231, (None, 3), ["--split", "val", "--skip_missing"]),
        ("ade20k", "ade20k_mini", 151, (16, 16), []),
        ("coco_stuff", "coco_stuff_mini", 183, (13, 8), []),
        ("cityscapes", "cityscapes_mini", 35, (20, 8), []),
        ("folder", "camvid", 12, (367, 101), []),
    ],
)
def test_build_and_read(real, run, tmp_path, name, folder, classes, images, flags):
    out = tmp_path / "out"
    code, summary, error = run(name, real / folder, out, *flags, workers=2)
    assert code == 0, error
    assert "out of range  no ids" in summary
    manifest = Manifest.read(out)
    assert manifest.num_classes == classes
    for split, count in zip(("train", "val"), images, strict=True):
        if count is None:
            assert split not in manifest.splits
            continue
        assert manifest.splits[split].examples == count
        names = set()
        for batch in eval_dataset(out, batch_size=7, split=split):
            names |= set(batch["name"].numpy()[batch["valid"].numpy()].tolist())
            assert batch["label_map"].numpy().max() < classes
        assert len(names) == count
    if "train" in manifest.splits:
        batch = next(iter(train_dataset(out, batch_size=8, seed=0)))
        assert batch["image"].shape == (8, 64, 128, 3)
        assert np.isfinite(batch["image"].numpy()).all()


@pytest.mark.parametrize(
    "name, count",
    [
        ("lvis_mini/annotations/lvis_v1_train.json", 100),
        ("lvis_mini/annotations/lvis_v1_val.json", 100),
        ("lvis_v05_excerpt/annotations/lvis_v0.5_val_100.json", 100),
    ],
)
def test_lvis_label_maps_equal_pycocotools_own(real, name, count):
    path = real / name
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    items, _ = read_items(AnnotationIndex(path), path)
    assert len(items) == count
    for item, image in zip(items, coco.dataset["images"], strict=True):
        expected = np.zeros((image["height"], image["width"]), int)
        for annotation in coco.imgToAnns[image["id"]]:
            expected[coco.annToMask(annotation) == 1] = annotation["category_id"]
        np.testing.assert_array_equal(paint(item), expected)
