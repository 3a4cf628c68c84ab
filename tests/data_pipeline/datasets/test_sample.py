"""The sample as a data set: LVIS underneath, classes and colours of its own."""

import numpy as np
import pytest

from data_pipeline.datasets.lvis import open_lvis
from data_pipeline.datasets.sample import COLOURS, LEGEND, open_sample
from data_pipeline.labels.palette import UNLABELLED_COLOUR
from data_pipeline.sample import CATEGORY_IDS, draw_sample
from data_pipeline.sample_set.kinds import KINDS, rgb


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "sample"
    draw_sample(path, 3, 2, (48, 64))
    return path


def test_all_but_the_colours_is_as_lvis_has_it(source):
    ours, lvis = open_sample(source, None), open_lvis(source, None)
    assert ours.class_names == lvis.class_names
    assert (ours.palette, lvis.palette) == (LEGEND.palette, None)
    for split, count in (("train", 3), ("val", 2)):
        assert len(ours.items[split]) == count
        for item, other in zip(ours.items[split], lvis.items[split], strict=True):
            assert (item.name, item.image, item.label) == (other.name, other.image, other.label)
            np.testing.assert_array_equal(ours.load(item)[1], lvis.load(other)[1])


def test_ids_are_those_that_are_drawn():
    assert {name: LEGEND.class_names.index(name) for name in KINDS} == CATEGORY_IDS
    assert LEGEND.num_classes == 34


def test_colours_are_apart():
    colours = np.array(LEGEND.palette, int)
    assert LEGEND.palette[0] == UNLABELLED_COLOUR
    apart = np.abs(colours[:, None] - colours[None]).sum(-1)
    assert apart[~np.eye(len(colours), dtype=bool)].min() >= 45


def test_colours_are_near_the_paint():
    """Each lies near a mixture of the two colours that a thing of its class is painted in."""
    mixtures = np.linspace(0, 1, 21)[:, None]
    for name, kind in KINDS.items():
        pairs = [[255 * rgb(colour).ravel() for colour in scheme] for scheme in kind.schemes]
        paint = np.concatenate([a + (b - a) * mixtures for a, b in pairs])
        assert np.abs(paint - COLOURS[name]).max(-1).min() < 60, name
    assert COLOURS["tree"][1] == max(COLOURS["tree"])
    assert COLOURS["lake"][2] == max(COLOURS["lake"])
    assert COLOURS["roof"][0] == max(COLOURS["roof"])
