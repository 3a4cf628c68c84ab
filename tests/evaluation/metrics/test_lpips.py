"""LPIPS by the backbones whose weights are there; the networks are stand-ins."""

import hashlib
import itertools

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.lpips import LPIPS, lpips_of_pairs
from oasis_tf.metrics import frozen, lpips
from oasis_tf.metrics.frozen import MissingWeights
from tests.evaluation.fakes import a_manifest, a_request


class FakeLpips:
    """A power of the distance of the mean colours."""

    def __init__(self, net, backbone, linear):
        self._power = {"vgg": 1, "alex": 2}[net]

    def features(self, pictures):
        assert len(pictures) == 1
        return pictures.mean()

    def between(self, a, b):
        return np.array([abs(a - b) ** self._power])


@pytest.fixture
def metric_of(tmp_path, monkeypatch):
    monkeypatch.setattr(lpips, "Lpips", FakeLpips)

    def make(*nets):
        for file in itertools.chain(*(frozen.LPIPS[net] for net in nets)):
            (tmp_path / file.name).write_bytes(file.name.encode())
        return LPIPS(a_request(samples=3, weights_dir=tmp_path), a_manifest())

    return make


def test_all_pairs():
    pictures = np.array([1, 4, 9], np.uint8)[:, None, None, None] * np.ones((1, 5, 7, 3), np.uint8)
    assert lpips_of_pairs(FakeLpips("alex", None, None))(pictures).tolist() == [9, 64, 25]


@pytest.mark.parametrize("nets", [("vgg", "alex"), ("alex",)])
def test_backbones_that_are_there(metric_of, chunk, nets):
    metric, networks = metric_of(*nets), {}
    parts = metric.prepare(networks)
    assert list(networks) == [f"lpips {net}" for net in nets]
    assert [part.name for part in parts] == list(networks)
    names = [file.name for file in frozen.LPIPS[nets[-1]]]
    # As stored by earlier versions.
    assert parts[-1].key == {
        "measure": "lpips",
        "weights": {name: hashlib.sha256(name.encode()).hexdigest() for name in names},
        "version": 1,
        "samples": 3,
        "maps": None,
    }
    measured = {part.name: [metric.measure(part, chunk)] for part in parts}
    result = metric.result(measured)
    # Only red differs between samples, by 1, 1 and 2.
    expected = {"vgg": 4 / 9, "alex": (1 + 1 + 4) / 27}
    assert result["network"] == nets[0] and result["value"] == result[nets[0]]["global"]
    for net in nets:
        assert result[net]["global"] == pytest.approx(expected[net])
        assert result[net]["local_label_maps"] == 2
    assert metric.details(result)[0].startswith(f"{nets[0]}: global 0.")
    assert metric.notes(result) == []


def test_no_backbone(metric_of):
    metric, networks = metric_of(), {}
    with pytest.raises(MissingWeights, match="vgg16-397923af.pth must be in .*; alexnet-owt"):
        metric.prepare(networks)
    assert networks == {} and "ms_ssim" in metric.stand_in
