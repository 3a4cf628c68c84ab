"""What MS-SSIM and LPIPS have in common, with distances that are known."""

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.diversity import DiversityMetric
from oasis_tf.evaluation.metrics.metric import NotComputable
from tests.evaluation.fakes import a_manifest, a_request


class Known(DiversityMetric):
    """Measures what it is given."""

    def __init__(self, distances, **changes):
        super().__init__(a_request(**changes), a_manifest())
        self._distances = distances

    def prepare(self, networks):
        self._check_samples()
        return [self._part("known", {"measure": "known"})]

    def measure(self, part, chunk):
        return self._means(chunk, self._distances)

    def result(self, parts):
        return self._summary(parts["known"], "known")


def test_both_ways(chunk):
    def distances(pictures):
        assert len(pictures) == 4
        return pictures[:, 0, 0, :2].astype(float)  # first seed + 1.5, class redrawn

    metric = Known(distances, samples=4)
    (part,) = metric.prepare({})
    measured = metric.measure(part, chunk)
    np.testing.assert_allclose(measured["global"], [(15 + 1.5) / 2, 17.5 / 2, 18.5 / 2])
    largest = np.bincount(chunk.label_maps[1].reshape(-1))[1:].argmax() + 1
    expected = [(16.5 + 2) / 2, (17.5 + largest) / 2, np.nan]  # nothing is labelled in the last
    np.testing.assert_allclose(measured["local"], expected)
    result = metric.result({"known": [measured, measured]})
    assert result["global"] == pytest.approx(17.5 / 2) and result["global_label_maps"] == 6
    assert result["local"] == pytest.approx(np.mean(expected[:2]))
    assert (result["local_label_maps"], result["samples"]) == (4, 4)


def test_only_the_first_maps(chunk):
    metric = Known(lambda pictures: [1.0], samples=2, diversity_maps=6)
    (part,) = metric.prepare({})
    measured = metric.measure(part, chunk)
    np.testing.assert_array_equal(np.isnan(measured["global"]), [False, True, True])
    assert part.key == {"measure": "known", "version": 1, "samples": 2, "maps": 6}


def test_no_value():
    with pytest.raises(NotComputable, match="takes 2 samples or more, --samples is 1"):
        Known(None, samples=1).prepare({})
    nothing = {"global": np.array([np.nan]), "local": np.array([np.nan])}
    with pytest.raises(NotComputable, match="no label map to resample"):
        Known(None).result({"known": [nothing]})
