"""Features go through the network in batches, and what has none has no value."""

import hashlib
import types

import numpy as np
import pytest

from oasis_tf.evaluation.metrics import features
from oasis_tf.evaluation.metrics.fid import FID
from oasis_tf.evaluation.metrics.kid import KID
from oasis_tf.evaluation.metrics.metric import Network, NotComputable
from oasis_tf.metrics import inception
from oasis_tf.metrics.frozen import INCEPTION
from oasis_tf.segmenters import features as segmenter_features
from tests.evaluation.fakes import a_manifest, a_request


@pytest.fixture
def loads(monkeypatch):
    """Replaces the networks by the mean colour; lists what was loaded."""
    loaded = []

    def load(request):
        loaded.append(request.features)
        return Network(
            lambda pictures: pictures.mean(axis=(1, 2), dtype=np.float32),
            {"measure": "mean"},
            {"name": "mean", "layer": "last", "sha256": "0123456789abcdefgh"},
        )

    for name in features.FEATURES:
        monkeypatch.setitem(features.FEATURES, name, load)
    return loaded


def test_both_metrics_share_one_network(loads):
    networks = {}
    metrics = [each(a_request(), a_manifest()) for each in (FID, KID)]
    parts = [metric.prepare(networks) for metric in metrics]
    assert loads == ["inception"] and list(networks) == ["inception"]
    assert parts[0] == parts[1]
    assert [(part.name, part.of_model) for part in parts[0]] == [
        ("features of real", False),
        ("features of fake", True),
    ]
    assert parts[0][0].key == {"measure": "mean", "version": 1}


def test_keys_are_those_of_earlier_versions(tmp_path, monkeypatch):
    (tmp_path / INCEPTION.name).write_bytes(b"weights")
    monkeypatch.setattr(inception, "InceptionFeatures", lambda path: None)
    request = a_request(weights_dir=tmp_path)
    real, fake = FID(request, a_manifest()).prepare({})
    checksum = hashlib.sha256(b"weights").hexdigest()
    assert real.key == fake.key == {"measure": "inception", "weights": checksum, "version": 1}

    about = {"name": "runs/segmenter", "layer": "low", "sha256": "abc"}
    network = types.SimpleNamespace(about=about)
    monkeypatch.setattr(segmenter_features, "SegmenterFeatures", lambda path: network)
    request = a_request(features="segmenter", segmenter="runs/segmenter")
    real, fake = FID(request, a_manifest()).prepare({})
    expected = {"measure": "segmenter features", "layer": "low", "sha256": "abc", "version": 1}
    assert real.key == fake.key == expected


def test_measured_in_batches(loads, chunk, monkeypatch):
    monkeypatch.setattr(features, "_BATCH", 2)
    metric = FID(a_request(), a_manifest())
    for part, pictures in zip(metric.prepare({}), (chunk.real, chunk.fake), strict=True):
        found = metric.measure(part, chunk)["features"]
        np.testing.assert_allclose(found, pictures.mean(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("metric", [FID, KID])
def test_other_features_have_another_name(loads, rng, metric):
    plain = metric(a_request(), a_manifest())
    other = metric(a_request(features="segmenter"), a_manifest())
    assert other.result_name == f"{plain.result_name}_by_segmenter"
    networks, rows = {}, [{"features": rng.normal(size=(4, 3)).astype(np.float32)}]
    parts = {"features of real": rows, "features of fake": rows}
    for each in (plain, other):
        each.prepare(networks)
    result = other.result(parts)
    assert result["network"] == networks["features"].about and "same segmenter" in result["about"]
    assert other.segmenter_sha256 == "0123456789abcdefgh" and plain.segmenter_sha256 is None
    assert other.notes(result)[:1] == ["mean, layer last, SHA-256 0123456789abcdef…"]
    assert other.details(result) == ["4 photographs, 4 generated"]
    assert not {"network", "about"} & set(plain.result(parts))


@pytest.mark.parametrize(
    "rows, message",
    [
        (np.zeros((1, 3)), "two pictures or more are needed, there is 1"),
        (np.full((4, 3), np.nan), "the features are not finite"),
    ],
)
def test_no_value(loads, rows, message):
    metric = KID(a_request(), a_manifest())
    metric.prepare({})
    sides = [{"features": rows}]
    with pytest.raises(NotComputable, match=message):
        metric.result({"features of real": sides, "features of fake": sides})
