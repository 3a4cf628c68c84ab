"""All pairs, and pictures that are small."""

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.metric import NotComputable
from oasis_tf.evaluation.metrics.ms_ssim import MsSsim, ms_ssim_of_pairs
from oasis_tf.metrics.ms_ssim import ms_ssim
from tests.evaluation.fakes import a_manifest, a_request


def test_all_pairs(rng):
    pictures = rng.integers(0, 256, (5, 20, 30, 3), np.uint8)
    expected = [
        ms_ssim(pictures[i : i + 1], pictures[j : j + 1])[0] for i in range(5) for j in range(i)
    ]
    np.testing.assert_allclose(sorted(ms_ssim_of_pairs(pictures)), sorted(expected), atol=1e-5)


def test_measured(chunk):
    metric = MsSsim(a_request(samples=2), a_manifest())
    (part,) = metric.prepare({})
    measured = metric.measure(part, chunk)
    label_map = chunk.label_maps[0]
    first, second = chunk.sampler.resample(label_map, 5, 2)
    expected = ms_ssim(first[None], second[None])[0]
    assert measured["global"][0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size, scales", [((20, 24), 1), ((64, 128), 3), ((176, 200), 5)])
def test_scales(size, scales):
    metric = MsSsim(a_request(samples=3), a_manifest(size))
    metric.prepare({})
    means = {"global": np.array([0.25, 0.75]), "local": np.array([np.nan, 0.125])}
    result = metric.result({"ms_ssim": [means]})
    assert (result["value"], result["scales"]) == (0.5, scales)
    assert metric.details(result) == ["local 0.125", "3 samples a label map"]
    if scales < 5:
        assert f"{size[0]}x{size[1]} have room for {scales} of the 5 scales" in result["warning"]
        assert metric.notes(result) == [result["warning"]]
    else:
        assert metric.notes(result) == []


def test_too_small():
    with pytest.raises(NotComputable, match=r"pictures of \(8, 40\) are too small"):
        MsSsim(a_request(), a_manifest((8, 40))).prepare({})
