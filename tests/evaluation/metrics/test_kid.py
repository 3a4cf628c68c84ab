"""KID of chunks, against loops over all pairs."""

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.kid import KID
from oasis_tf.evaluation.metrics.metric import Network
from tests.evaluation.fakes import a_manifest, a_request


def test_against_loops(rng):
    real, fake = rng.normal(size=(4, 3)), rng.normal(1, size=(4, 3))

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    expected = 0
    for i in range(4):
        for j in range(4):
            expected -= 2 * kernel(real[i], fake[j]) / 16
            if i != j:
                expected += (kernel(real[i], real[j]) + kernel(fake[i], fake[j])) / 12
    metric = KID(a_request(), a_manifest())
    metric.prepare({"inception": Network(None, {}, {})})
    parts = {
        f"features of {side}": [{"features": rows[:1]}, {"features": rows[1:]}]
        for side, rows in (("real", real), ("fake", fake))
    }
    result = metric.result(parts)
    assert result["value"] == pytest.approx(expected)
    assert "(x y / 3 + 1)^3" in result["estimator"]
    assert np.isscalar(result["real"]) and (result["real"], result["generated"]) == (4, 4)
