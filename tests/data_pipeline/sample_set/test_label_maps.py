"""The sample's label maps: those of its richest validation scenes, as a model reads them."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.sample import LEGEND
from data_pipeline.labels.label_files import read_label_map
from data_pipeline.sample import draw_sample

mask_util = pytest.importorskip("pycocotools.mask")
SIZE = (48, 64)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "sample"
    draw_sample(path, 1, 9, SIZE)
    return path


def painted(source):
    """The label maps of the validation scenes, painted here: list of int (H, W)."""
    content = json.loads((source / "annotations" / "lvis_v1_val.json").read_text())
    maps = {image["id"]: np.zeros(SIZE, int) for image in content["images"]}
    for annotation in content["annotations"]:
        mask = annotation["segmentation"]
        if isinstance(mask, list):
            mask = mask_util.merge(mask_util.frPyObjects(mask, *SIZE))
        elif isinstance(mask["counts"], list):
            mask = mask_util.frPyObjects(mask, *SIZE)
        where = mask_util.decode(mask).astype(bool)
        maps[annotation["image_id"]][where] = annotation["category_id"]
    return list(maps.values())


def test_they_are_the_richest_scenes(source):
    folder = source / "label_maps"
    assert sorted(p.name for p in folder.iterdir()) == [f"scene_{i}.png" for i in range(1, 7)]
    written = [read_label_map(folder / f"scene_{i}.png", LEGEND) for i in range(1, 7)]
    scenes = painted(source)
    for label_map in written:
        assert any(np.array_equal(label_map, scene) for scene in scenes)
    richness = [len(np.unique(label_map)) for label_map in written]
    assert richness == sorted((len(np.unique(scene)) for scene in scenes), reverse=True)[:6]
    assert richness[0] >= 8


def test_index_and_colour_say_the_same(source, tmp_path):
    path = source / "label_maps" / "scene_1.png"
    with Image.open(path) as picture:
        assert picture.mode == "P"
        picture.convert("RGB").save(tmp_path / "colours.png")
    np.testing.assert_array_equal(
        read_label_map(tmp_path / "colours.png", LEGEND), read_label_map(path, LEGEND)
    )


def test_a_sample_of_before_gets_them(source, tmp_path):
    draw_sample(tmp_path / "sample", 1, 9, SIZE)
    folder = tmp_path / "sample" / "label_maps"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert not draw_sample(tmp_path / "sample", 1, 9, SIZE).drawn
    for path in (source / "label_maps").iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()
    assert not [p.name for p in (tmp_path / "sample").iterdir() if p.name.startswith(".")]
