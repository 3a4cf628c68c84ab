"""The model of `make demo`, which is in git: it loads, draws the sample's classes, and is small."""

from pathlib import Path

import numpy as np

import oasis_tf
from data_pipeline.datasets.sample import LEGEND

DEMO = Path(__file__).parents[1] / "saved_models" / "demo"


def test_it_draws_what_it_is_told():
    model = oasis_tf.load(DEMO)
    assert model.class_names == LEGEND.class_names
    label_map = np.zeros((64, 96), int)
    label_map[40:] = LEGEND.class_names.index("lake")
    label_map[:, 70:] = LEGEND.class_names.index("tree")
    picture = model.synthesize(label_map, seed=1)[0].astype(float)
    assert picture.shape == (64, 96, 3)
    lake, tree = picture[48:, 8:60].mean((0, 1)), picture[8:32, 76:].mean((0, 1))
    assert lake[2] > lake[0] + 40  # blue
    assert tree[1] > tree[0] + 20 and tree[1] > tree[2] + 20  # green


def test_it_is_small():
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 8.5e6
