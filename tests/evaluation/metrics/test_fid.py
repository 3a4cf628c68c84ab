"""FID of chunks, against the formula in one dimension."""

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.fid import FID
from oasis_tf.evaluation.metrics.metric import Network
from tests.evaluation.fakes import a_manifest, a_request


def fid_of(*sides):
    """Of chunks of features (n, C) a side."""
    metric = FID(a_request(), a_manifest())
    metric.prepare({"inception": Network(None, {}, {})})
    parts = [[{"features": np.float32(rows)} for rows in chunks] for chunks in sides]
    result = metric.result(dict(zip(("features of real", "features of fake"), parts, strict=True)))
    return metric, result


def test_one_feature():
    real, fake = [[0.0], [1.0], [5.0]], [[2.0], [8.0], [2.0]]
    metric, result = fid_of([real[:2], real[2:]], [fake[:1], fake[1:]])
    # Of two normal distributions: the means 2 and 4, the variances 7 and 12.
    assert result["value"] == pytest.approx(2**2 + (7**0.5 - 12**0.5) ** 2, rel=1e-5)
    assert (result["real"], result["generated"]) == (3, 3) and "warning" not in result
    assert metric.notes(result) == []


def test_fewer_pictures_than_features(rng):
    metric, result = fid_of([rng.normal(size=(4, 5))], [rng.normal(size=(4, 5))])
    assert "4 pictures are fewer than the 5 features" in result["warning"]
    assert metric.notes(result) == [result["warning"]]
