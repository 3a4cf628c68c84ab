"""Regions from names, segments and masks."""

import numpy as np
import pytest

from data_pipeline.errors import DataError
from oasis_tf.sampling.regions import find_region
from tests.toy_model import LEGEND

LABEL_MAP = np.array([[1, 1, 2, 1], [3, 1, 2, 2]])


@pytest.mark.parametrize(
    "classes, expected",
    [
        (["sky"], [[1, 1, 0, 1], [0, 1, 0, 0]]),
        ("sky#2", [[0, 0, 0, 1], [0, 0, 0, 0]]),
        (["sky#1", 3], [[1, 1, 0, 0], [1, 1, 0, 0]]),
        (np.int64(3), [[0, 0, 0, 0], [1, 0, 0, 0]]),
        (np.array([2, 3]), [[0, 0, 1, 0], [1, 0, 1, 1]]),
    ],
)
def test_classes(classes, expected):
    np.testing.assert_array_equal(find_region(LABEL_MAP, LEGEND, classes), np.array(expected) > 0)


def test_mask():
    mask = np.array([[0, 255, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(find_region(LABEL_MAP, LEGEND, mask=mask), mask > 0)
    assert find_region(LABEL_MAP, LEGEND) is None


@pytest.mark.parametrize(
    "region, message",
    [
        (dict(classes=["sky"], mask=LABEL_MAP), "by classes or by a mask. Received: both"),
        (dict(classes=[]), "one class at least"),
        (dict(classes=["sea shell"]), "Received: sea shell; it has sky, sea, sand"),
        (dict(classes=["sky#3"]), "one of the 2 of its class, sky#1 to sky#2. Received: sky#3"),
        (dict(classes=["skies"]), "'skies'"),
        (dict(classes=[1.0]), r"an id in 0..4. Received: 1.0"),
        (dict(classes=[True]), "Received: True"),
        (dict(classes=7), "an id in 0..4. Received: 7"),
        (dict(mask=np.where(LABEL_MAP == 2, np.nan, 1)), "Received: NaN"),
        (dict(mask=LABEL_MAP[:1]), "the size of the label map, 2x4. Received: 1x4"),
        (dict(mask=LABEL_MAP * 0), "must mark one pixel"),
    ],
)
def test_bad_regions(region, message):
    with pytest.raises(DataError, match=message):
        find_region(LABEL_MAP, LEGEND, **region)
