"""KID against its definition as a sum over pairs."""

import numpy as np
import pytest

from oasis_tf.metrics import kernel_distance as module
from oasis_tf.metrics.kernel_distance import kernel_distance


def by_pairs(x, y):
    def k(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    def within(s):
        n = len(s)
        return sum(k(s[i], s[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    between = sum(k(a, b) for a in x for b in y) / (len(x) * len(y))
    return within(x) + within(y) - 2 * between


def test_definition(rng, monkeypatch):
    x, y = rng.normal(size=(9, 3)), rng.normal(0.4, 1, size=(5, 3))
    expected = by_pairs(x, y)
    assert kernel_distance(x, y) == pytest.approx(expected)
    monkeypatch.setattr(module, "_BLOCK", 2)
    assert kernel_distance(x, y) == pytest.approx(expected)


def test_unbiased(rng):
    """Over many small sets of one distribution it is 0 in the mean, and negative at times."""
    values = [kernel_distance(*rng.normal(size=(2, 6, 4))) for _ in range(2000)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0


def test_bad_input():
    with pytest.raises(ValueError, match="2 rows or more of each. Received: 1 and 3"):
        kernel_distance(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="must be finite"):
        kernel_distance(np.full((2, 2), np.inf), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="must be"):
        kernel_distance(np.zeros((3, 4)), np.zeros((3, 2)))
