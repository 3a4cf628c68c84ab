import numpy as np
import pytest
from pycocotools import mask as coco

from data_pipeline.datasets.masks import paint

BOX = [1, 1, 4, 1, 4, 3, 1, 3]  # x in [1, 4), y in [1, 3)


def decode(segmentation, height, width):
    label_map = np.full((height, width), 3, np.int32, order="F")
    paint(label_map, segmentation, 9)
    assert set(np.unique(label_map)) <= {3, 9}
    return label_map == 9


def expected_box():
    mask = np.zeros((5, 7), bool)
    mask[1:3, 1:4] = True
    return mask


def test_polygon_by_hand():
    np.testing.assert_array_equal(decode([BOX], 5, 7), expected_box())


def test_several_polygons_are_united():
    both = decode([BOX, [5, 0, 7, 0, 7, 5, 5, 5]], 5, 7)
    assert both[:, 5:].all() and (both[:, :5] == expected_box()[:, :5]).all()


def test_both_forms_of_rle():
    # column by column: 5 zeros (x = 0), then 1 zero, 2 ones, 2 zeros for x = 1, 2, 3, then zeros
    counts = [6, 2, 3, 2, 3, 2, 17]
    np.testing.assert_array_equal(decode({"size": [5, 7], "counts": counts}, 5, 7), expected_box())
    for seed in range(5):
        random = np.random.default_rng(seed).random((50, 70)) < (seed + 1) / 7
        rle = coco.encode(np.asfortranarray(random.astype(np.uint8)))
        text = {"size": [50, 70], "counts": rle["counts"].decode()}
        np.testing.assert_array_equal(decode(text, 50, 70), random)


@pytest.mark.parametrize(
    "segmentation, reason",
    [
        ([], "no polygon"),
        ([[1, 2, 3, 4]], "three points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "pairs"),
        ([[1, 2, 3, 4, 5, "x"]], "numbers"),
        ([[1, 2, 3, 4, 5, float("nan")]], "finite"),
        ([[1, 2, 3, 4, 5, 1e12]], "near"),
        ([1, 2, 3, 4, 5, 6], "list of x, y"),
        (None, "NoneType"),
        ({"counts": [35]}, "size"),
        ({"size": [7, 5], "counts": [35]}, "size"),
        ({"size": [5, 7], "counts": [30]}, "add up"),
        ({"size": [5, 7], "counts": [36, -1]}, "add up"),
        ({"size": [5, 7], "counts": "0"}, "add up"),
        ({"size": [5, 7], "counts": "é"}, "compressed"),
        ({"size": [5, 7], "counts": "P"}, "compressed"),
        ({"size": [5, 7], "counts": None}, "list or a string"),
    ],
)
def test_malformed(segmentation, reason):
    with pytest.raises(ValueError, match=reason):
        decode(segmentation, 5, 7)


def test_polygons_are_rasterised_as_pycocotools_does(rng):
    for _ in range(20):
        points = rng.uniform(-3, 70, (rng.integers(3, 40), 2)).round(2)
        polygons = [points.ravel().tolist(), [0, 0, 69.5, 12.25, 30, 49]]
        merged = coco.merge([coco.frPyObjects([polygon], 50, 70)[0] for polygon in polygons])
        np.testing.assert_array_equal(decode(polygons, 50, 70), coco.decode(merged) == 1)
