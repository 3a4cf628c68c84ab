"""Diversity by the segmenter's features, with distances that are known."""

import types

import numpy as np
import pytest

from data_pipeline.errors import DataError
from oasis_tf.evaluation.metrics.feature_diversity import FeatureDiversity
from oasis_tf.evaluation.metrics.metric import NotComputable
from oasis_tf.segmenters import distances
from tests.evaluation.fakes import a_manifest, a_request


class Known:
    """A pixel's distance is its row, plus what `FakeSynthesizer` says of an edit."""

    about = {"name": "runs/segmenter", "layer": "low", "sha256": "abc"}

    def __init__(self, path):
        if path == "damaged":
            raise DataError("damaged")

    def pairs(self, pictures):
        height, width = pictures.shape[1:3]
        rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
        return rows + 100 * pictures[0, 0, 0, 1]


@pytest.fixture
def metric(monkeypatch):
    monkeypatch.setattr(distances, "SegmenterDistances", Known)

    def make(**changes):
        changes = {"segmenter": "runs/segmenter", "samples": 3, **changes}
        return FeatureDiversity(a_request(**changes), a_manifest())

    return make


def test_global_local_and_by_class(metric, chunk):
    diversity, networks = metric(), {}
    (part,) = diversity.prepare(networks)
    assert part.of_model and part.key["sha256"] == diversity.segmenter_sha256 == "abc"
    measured = diversity.measure(part, chunk)
    result = diversity.result({"feature_diversity": [measured, measured]})
    assert result["value"] == result["global"] == pytest.approx(9.5)  # rows 0 to 19
    largest = [np.bincount(x.ravel())[1:].argmax() + 1 for x in chunk.label_maps[:2]]
    assert result["local"] == pytest.approx(9.5 + 100 * np.mean(largest))
    rows = np.broadcast_to(np.arange(20)[:, None], (3, 20, 24))
    for row in result["per_class"]:
        expected = rows[chunk.label_maps == row["id"]].mean()
        assert row["distance"] == pytest.approx(expected), row["class"]
    assert [row["id"] for row in result["per_class"]] == [1, 2, 3]
    by_class = [row["distance"] for row in result["per_class"]]
    assert result["mean_over_classes"] == pytest.approx(np.mean(by_class))
    assert diversity.details(result)[-1] == "3 samples a label map"


def test_only_the_first_maps(metric, chunk):
    diversity = metric(diversity_maps=6)
    (part,) = diversity.prepare({})
    measured = diversity.measure(part, chunk)  # of picture 5 on: one of them
    assert measured["class_pixels"].sum() == chunk.label_maps[0].size


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"segmenter": None}, "needs --segmenter PATH"),
        ({"segmenter": "damaged"}, "damaged"),
        ({"samples": 1}, "takes 2 samples or more"),
    ],
)
def test_no_value(metric, changes, message):
    with pytest.raises(NotComputable, match=message):
        metric(**changes).prepare(types.MappingProxyType({}))
