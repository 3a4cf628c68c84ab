"""Frechet distance: closed forms, the public numbers, and statistics in any order of batches."""

import numpy as np
import pytest
from scipy import linalg

from oasis_tf.metrics.frechet import FeatureStatistics, frechet_distance


def statistics(rows, batch=7):
    result = FeatureStatistics(rows.shape[1])
    for i in range(0, len(rows), batch):
        result.update(rows[i : i + batch])
    return result


def test_statistics_are_numpys(rng):
    rows = rng.normal(1e4, 1, (50, 6))  # a mean far from 0: sums of squares would lose the spread
    result = statistics(rows)
    np.testing.assert_allclose(result.mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(result.covariance(), np.cov(rows.T), rtol=1e-6, atol=1e-9)


def test_batches_of_any_size_and_of_none(rng):
    rows = rng.normal(size=(31, 4))
    result = statistics(rows[:12], batch=5)
    result.update(rows[12:])
    result.update(np.empty((0, 4)))
    assert result.count == 31
    np.testing.assert_allclose(result.covariance(), np.cov(rows.T), rtol=1e-12, atol=1e-14)


def test_one_dimension_by_hand():
    # Means 1 and 4, variances 2 and 8: 9 + (sqrt(8) - sqrt(2))^2 = 9 + 2.
    a, b = (statistics(np.array([[m - s], [m + s]])) for m, s in ((1.0, 1.0), (4.0, 2.0)))
    assert frechet_distance(a, b) == pytest.approx(11)


@pytest.mark.parametrize("rows", [200, 5])
def test_against_the_root_of_the_product(rng, rows):
    a, b = rng.normal(size=(rows, 8)), rng.normal(0.5, 2, size=(rows, 8))
    ca, cb = np.cov(a.T), np.cov(b.T)
    root = np.real(linalg.sqrtm(ca @ cb + 1e-12 * np.eye(8)))
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root)
    assert frechet_distance(statistics(a), statistics(b)) == pytest.approx(expected, rel=1e-4)


def test_public_numbers(cases):
    a, b, c = (statistics(cases[f"fd_{name}"], 64) for name in "abc")
    assert frechet_distance(a, b) == pytest.approx(float(cases["fd_ab"]), rel=1e-6)
    assert frechet_distance(a, c) == pytest.approx(float(cases["fd_ac"]), rel=1e-3)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_bad_input():
    with pytest.raises(ValueError, match="must be finite"):
        FeatureStatistics(2).update(np.array([[0, np.nan]]))
    with pytest.raises(ValueError, match="shape"):
        FeatureStatistics(2).update(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="2 rows or more. Received: 1"):
        frechet_distance(statistics(np.zeros((1, 2))), statistics(np.zeros((3, 2))))
