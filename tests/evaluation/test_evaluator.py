"""Metrics of chunks: the same as in one piece, no more is kept, and what the cache holds."""

import numpy as np
import pytest

from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation import evaluator, pictures
from oasis_tf.evaluation.cache import Cache
from oasis_tf.evaluation.evaluator import Evaluator
from oasis_tf.evaluation.pictures import Sampler
from tests.evaluation.fakes import FakeSynthesizer, a_request
from tests.toy_data import build_records


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"), images=2, val_images=5)


@pytest.fixture
def request_of(records, tmp_path):
    def make(*metrics, **changes):
        return a_request(*metrics, data_dir=records, weights_dir=tmp_path / "weights", **changes)

    return make


def chunks_of_two(monkeypatch):
    monkeypatch.setattr(pictures, "CHUNK", 2)
    monkeypatch.setattr(evaluator, "CHUNK", 2)


def values(computed):
    return {name: metric["value"] for name, metric in computed.metrics.items()}


def test_chunks_add_up(records, request_of, tmp_path, monkeypatch):
    request = request_of("colour", "texture")
    sampler = Sampler(FakeSynthesizer(), 0)
    whole = Evaluator(request, tmp_path / "whole")(sampler, {"model": "m"})
    chunks_of_two(monkeypatch)
    in_twos = Evaluator(request, tmp_path / "twos")
    for _ in range(2):  # measured, and read from the cache
        computed = in_twos(sampler, {"model": "m"})
        assert values(computed) == values(whole)
        for side in ("real", "fake"):
            # Histograms are summed as they come, however many chunks there are.
            (kept,) = computed.parts[f"appearance of {side}"]
            assert kept["colour"].sum() == 5 * 64 * 128 * 3
    assert len(list((tmp_path / "twos").glob("*/*.npz"))) == 2 * 3  # two sides, three chunks


def test_of_a_model_in_training_nothing_is_stored(records, request_of, tmp_path, monkeypatch):
    chunks_of_two(monkeypatch)
    in_training = Evaluator(request_of("colour"), tmp_path)
    dark = values(in_training(Sampler(FakeSynthesizer(), 0)))
    bright = values(in_training(Sampler(FakeSynthesizer(), 200)))
    assert dark != bright
    assert len(list(tmp_path.glob("*/*.npz"))) == 3  # of the photographs


def test_what_the_cache_goes_by(records, request_of, tmp_path):
    """What was stored is found again: these keys must stay as they are."""
    shards = Manifest.read(records).splits["val"].shards
    data = {
        "shards": {shard.name: shard.sha256 for shard in shards},
        "size": [64, 128],
        "chunk": 32,
        "images": 5,
    }
    model = {"model": "m", "seed": 0}
    appearance = {"measure": "appearance", "version": 1}
    diversity = {"version": 1, "samples": 2, "maps": 1}
    request = request_of("ms_ssim", "texture", samples=2, diversity_maps=1)
    Evaluator(request, tmp_path / "cache")(Sampler(FakeSynthesizer(), 0), model)
    cache = Cache(tmp_path / "cache")
    expected = {
        cache.path({**appearance, **data}, 0),
        cache.path({**appearance, **data, **model}, 0),
        cache.path({"measure": "ms_ssim", **diversity, **data, **model}, 0),
    }
    assert set((tmp_path / "cache").rglob("*.npz")) == expected
    with np.load(cache.path({**appearance, **data}, 0)) as stored:
        assert set(stored) == {"colour", "texture"}


def test_failures_are_known_before(records, request_of, tmp_path):
    evaluator = Evaluator(request_of("fid", "kid", "miou", "texture"), tmp_path)
    assert set(evaluator.failures) == {"fid", "kid", "miou"}
    assert evaluator.failures["fid"] == evaluator.failures["kid"]
    # Where a segmenter is missing, the reason says where to get one.
    assert set(evaluator.stand_ins) == {"fid", "kid"}
    assert "--features segmenter" in evaluator.stand_ins["kid"]
    metrics = evaluator(Sampler(FakeSynthesizer(), 0)).metrics
    assert [metric["computed"] for metric in metrics.values()] == [False, False, False, True]
