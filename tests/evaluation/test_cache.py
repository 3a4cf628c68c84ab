"""The cache: measured once, again when anything differs, and never half."""

import shutil

import numpy as np
import pytest

from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.config import save_config
from oasis_tf.evaluation.cache import Cache, model_checksum
from tests.toy_model import LEGEND, toy_config


def counting(values):
    def measure():
        measure.calls += 1
        return {"values": np.array(values)}

    measure.calls = 0
    return measure


def test_once(tmp_path):
    cache, measure = Cache(tmp_path / "new"), counting([1, 2])
    for _ in range(2):
        stored = cache.get_or_measure({"a": 1}, 0, measure)
        np.testing.assert_array_equal(stored["values"], [1, 2])
    assert measure.calls == 1
    cache.get_or_measure({"a": 1}, 1, measure)
    cache.get_or_measure({"a": 2}, 0, measure)
    assert measure.calls == 3


def test_one_that_only_reads(tmp_path):
    cache, measure = Cache(tmp_path / "new", writes=False), counting([1])
    cache.get_or_measure("key", 0, measure)
    assert measure.calls == 1 and not (tmp_path / "new").exists()
    Cache(tmp_path / "new").get_or_measure("key", 0, counting([2]))
    np.testing.assert_array_equal(cache.get_or_measure("key", 0, measure)["values"], [2])
    assert measure.calls == 1


def test_a_damaged_file_is_measured_again(tmp_path):
    cache, measure = Cache(tmp_path), counting([1])
    cache.get_or_measure("key", 0, measure)
    path = cache.path("key", 0)
    path.write_bytes(path.read_bytes()[:50])
    cache.get_or_measure("key", 0, measure)
    assert measure.calls == 2


def test_an_interrupted_measure_leaves_nothing(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).get_or_measure("key", 0, interrupted)
    assert not list(tmp_path.rglob("*.npz"))


def test_model_checksum(toy_run, tmp_path):
    a, b = (shutil.copytree(toy_run, tmp_path / name) for name in "ab")

    def of_run(path):
        return model_checksum(path, open_run_dir(path).checkpoint)

    first = of_run(a)
    assert first == of_run(b) == of_run(toy_run)
    # One bit of one weight, then the configuration.
    (weights,) = (b / "best").glob("*.data-*")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    second = of_run(b)
    save_config(b, toy_config(noise_channels=4), LEGEND.to_json())
    assert len({first, second, of_run(b)}) == 3
    exported = tmp_path / "exported" / "1"
    exported.mkdir(parents=True)
    (exported / "saved_model.pb").write_bytes(b"a")
    first = model_checksum(tmp_path / "exported")
    (exported / "saved_model.pb").write_bytes(b"b")
    assert model_checksum(tmp_path / "exported") != first
