"""Colour and texture: known colours, patterns by hand, distances in closed form."""

import numpy as np
import pytest
from scipy import stats

from oasis_tf.metrics.histograms import (
    chi_square,
    class_histograms,
    colour_bins,
    earth_movers,
    texture_bins,
    to_lab,
)


def test_known_colours():
    rgb = np.array(
        [[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255], [119, 119, 119]], np.uint8
    )
    # Published values of CIELAB under D65.
    lab = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [50.03, 0, 0]]
    np.testing.assert_allclose(to_lab(np.array(rgb, np.uint8)), lab, atol=0.05)


def test_colour_bins():
    bins = colour_bins(np.array([[[255, 255, 255], [0, 0, 255]]], np.uint8))
    # 100 is the end of the last bin; a* = 79.19 -> 179.19 / 200 * 32 = 28.7; b* is beyond -100.
    assert bins[:, 0, 0].tolist() == [31, 16, 16]
    assert bins[:, 0, 1].tolist() == [10, 28, 0]


def test_patterns():
    flat = np.full((9, 9, 3), 90, np.uint8)
    assert (texture_bins(flat) == 8).all()
    point = flat.copy()
    point[4, 4] = 200
    bins = texture_bins(point)
    assert bins[0, 4, 4] == 0 and bins[1, 4, 4] == 0  # no neighbour is as light
    edge = flat.copy()
    edge[:, 5:] = 200  # left of it all eight are as light; right of it three are darker
    assert texture_bins(edge)[0, 4, 3:7].tolist() == [8, 8, 5, 8]
    crossed = np.where(np.indices((9, 9)).sum(axis=0) % 2, 40, 200).astype(np.uint8)
    bins = texture_bins(np.repeat(crossed[..., None], 3, axis=-1))
    assert bins[0, 4, 4] == 9  # light at the corners only: the circle changes eight times


def test_class_histograms(rng):
    bins, labels = rng.integers(0, 5, (3, 6, 7)), rng.integers(0, 4, (6, 7))
    result = class_histograms(bins, 5, labels, 4)
    assert result.shape == (4, 3, 5)
    for c in range(4):
        for axis in range(3):
            expected = np.bincount(bins[axis][labels == c], minlength=5)
            np.testing.assert_array_equal(result[c, axis], expected)


def test_distances_in_closed_form():
    first, last = np.eye(5)[0] * 7, np.eye(5)[4] * 3
    assert chi_square(first, first * 9) == 0 and earth_movers(first, first * 9) == 0
    assert chi_square(first, last) == 1 and earth_movers(first, last) == 1
    assert earth_movers(first, np.eye(5)[1]) == pytest.approx(1 / 4)
    # (1/2, 1/2) and (1, 0): 1/2 (1/4 / (3/2) + 1/4 / (1/2)) = 1/3.
    assert chi_square([1, 1], [2, 0]) == pytest.approx(1 / 3)
    assert chi_square([[1, 1], [1, 1]], [[2, 0], [1, 1]]) == pytest.approx(1 / 6)


def test_earth_movers_is_scipys(rng):
    a, b = rng.uniform(size=(2, 12))
    expected = stats.wasserstein_distance(np.arange(12), np.arange(12), a, b) / 11
    assert earth_movers(a, b) == pytest.approx(expected)


def test_an_empty_histogram():
    with pytest.raises(ValueError, match="must hold something"):
        chi_square(np.zeros(3), np.ones(3))
