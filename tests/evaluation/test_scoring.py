"""Scoring in chunks: the same as in one piece, no more is kept, and what the cache holds."""

import pytest

from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation import pictures, scoring
from oasis_tf.evaluation.pictures import Sampler
from oasis_tf.evaluation.protocols import choose_protocol
from oasis_tf.evaluation.scoring import Request, Scoring
from tests.evaluation.test_measures import FakeSynthesizer
from tests.toy_data import build_records


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"), images=2, val_images=5)


@pytest.fixture
def request_of(records, tmp_path):
    def make(*metrics):
        protocol = choose_protocol(None, Manifest.read(records))
        return Request(metrics, protocol, "val", weights_dir=tmp_path / "weights")

    return make


def chunks_of_two(monkeypatch):
    monkeypatch.setattr(pictures, "CHUNK", 2)
    monkeypatch.setattr(scoring, "CHUNK", 2)


def values(scores):
    return {name: metric["value"] for name, metric in scores.metrics.items()}


def test_chunks_add_up(records, request_of, tmp_path, monkeypatch):
    request = request_of("colour", "texture")
    sampler = Sampler(FakeSynthesizer(), 0)
    whole = Scoring(request, records, tmp_path / "whole")(sampler, {"model": "m"})
    chunks_of_two(monkeypatch)
    in_twos = Scoring(request, records, tmp_path / "twos")
    for _ in range(2):  # measured, and read from the cache
        parts = in_twos(sampler, {"model": "m"})
        assert values(parts) == values(whole)
        for side in ("real", "fake"):
            # Histograms are summed as they come, however many chunks there are.
            (kept,) = parts.parts[f"appearance of {side}"]
            assert kept["colour"].sum() == 5 * 64 * 128 * 3
    assert len(list((tmp_path / "twos").glob("*/*.npz"))) == 2 * 3  # two sides, three chunks


def test_of_a_model_in_training_nothing_is_stored(records, request_of, tmp_path, monkeypatch):
    chunks_of_two(monkeypatch)
    in_training = Scoring(request_of("colour"), records, tmp_path)
    dark = values(in_training(Sampler(FakeSynthesizer(), 0)))
    bright = values(in_training(Sampler(FakeSynthesizer(), 200)))
    assert dark != bright
    assert len(list(tmp_path.glob("*/*.npz"))) == 3  # of the photographs


def test_failures_are_known_before(records, request_of, tmp_path):
    scores = Scoring(request_of("fid", "kid", "miou", "texture"), records, tmp_path)
    assert set(scores.failures) == {"fid", "kid", "miou"}
    assert scores.failures["fid"] == scores.failures["kid"]
    metrics = scores(Sampler(FakeSynthesizer(), 0)).metrics
    assert [metric["computed"] for metric in metrics.values()] == [False, False, False, True]
