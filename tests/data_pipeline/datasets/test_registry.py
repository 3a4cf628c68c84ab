"""The registry of data sets, and all that follows it."""

import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline import datasets
from data_pipeline.datasets import DATASETS
from data_pipeline.downloading.download import _BY_HAND, ARCHIVES
from data_pipeline.errors import DataError
from oasis_tf import configs, convert
from tests.data_pipeline.sources import WRITERS


@pytest.mark.parametrize("name", DATASETS)
def test_fixed_classes_are_those_that_its_reader_gives(name, tmp_path):
    entry = DATASETS[name]
    assert entry.name == name
    dataset = entry.open(WRITERS[name](tmp_path / "source"), ("train",))
    assert hasattr(entry._reader(), "LEGEND") == entry.fixed_classes
    if entry.fixed_classes:
        legend = entry.legend()
        assert dataset.class_names == legend.class_names
        assert dataset.label_ids == legend.label_ids
        assert dataset.palette in (None, legend.palette)
        assert len(legend.palette) == legend.num_classes


def test_every_list_of_names_is_this_one():
    assert list(configs.PRESETS) == list(DATASETS)
    for name, config in configs.PRESETS.items():
        assert config.dataset == name
        assert (config.image_size == (256, 512)) == (DATASETS[name].image_size == (256, 512))
    pages = {path.stem for path in Path(configs.__file__).parent.glob("*.py")}
    assert pages == {*DATASETS, "__init__", "toy"}
    assert {*ARCHIVES, *_BY_HAND} == {*DATASETS}
    assert convert._SETS == ["ade20k", "coco_stuff", "cityscapes", "folder", "sample"]
    assert WRITERS.keys() == DATASETS.keys()


def test_it_is_light():
    heavy = "{'PIL', 'pycocotools', 'tensorflow', 'keras'}"
    code = f"import sys, oasis_tf.convert, oasis_tf.evaluate; print({heavy} & {{*sys.modules}})"
    root = Path(datasets.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_sample_takes_only_its_own_categories(tmp_path):
    with pytest.raises(DataError, match=r"its 33 categories.*Received: 5 categories, class_1, cl"):
        DATASETS["sample"].open(WRITERS["lvis"](tmp_path), None)
