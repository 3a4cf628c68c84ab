"""The four numbers of a kernel, on kernels whose numbers are known."""

import numpy as np
import pytest

from experiments.start.kernels import measure


def test_nine_equal_taps_of_rank_one(rng):
    tap = np.outer(rng.normal(size=4), rng.normal(size=5))
    kernel = np.broadcast_to(tap, (3, 3, 4, 5)).astype(np.float32)
    # sigma^2 of nine copies above each other is nine times the tap's, and their sum nine times it.
    exact = 3 * np.linalg.norm(tap)
    numbers = measure(kernel, sigma=exact / 2)
    assert numbers == pytest.approx({"stable_rank": 1, "alike": 1, "gain": 3, "lag": 2}, rel=1e-5)


def test_one_tap_that_is_the_identity():
    kernel = np.full((3, 3, 4, 4), 1e-12, np.float32)
    kernel[1, 1] = np.eye(4)
    numbers = measure(kernel, sigma=1.0)
    assert numbers["stable_rank"] == pytest.approx(4)
    assert numbers["gain"] == pytest.approx(1)
    assert numbers["lag"] == pytest.approx(1)
