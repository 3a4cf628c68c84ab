"""The drawn source has LVIS's proportions, and is one that the reader takes."""

import json

import numpy as np
import pytest

from benchmarks.lvis_size import draw
from benchmarks.lvis_size.__main__ import ROOT, measure
from data_pipeline.datasets.lvis import open_lvis

SCALE = 0.0003


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "_DISTINCT_PICTURES", 2)
    monkeypatch.setattr(draw, "_DISTINCT_OUTLINES", 40)
    draw.draw_source(tmp_path / "source", SCALE)
    return tmp_path / "source"


def test_a_share_of_lvis(source):
    content = json.loads((source / "annotations/lvis_v1_train.json").read_text())
    assert list(content) == ["info", "annotations", "images", "categories"]
    counts = [len(content[key]) for key in ("images", "annotations", "categories")]
    assert counts == [30, 381, 1203]
    dataset = open_lvis(source, ("train",))
    image, labels = dataset.load(dataset.items["train"][0])
    assert (image.height, image.width) == labels.shape == draw.SIZE
    assert len(np.unique(labels)) > 3
    assert len({path.stat().st_ino for path in source.glob("train2017/*")}) == 2


def test_drawn_once(source):
    path = source / "annotations/lvis_v1_train.json"
    before = path.stat().st_mtime_ns
    draw.draw_source(source, SCALE)
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_measures(source):
    measured = measure(ROOT, source, 12)
    # Of so few pictures the speed may be unknown, nan.
    assert not any(value < 0 for value in measured.values())
    assert measured["peak_mib"] > 100 and measured["first_picture_s"] > 0
