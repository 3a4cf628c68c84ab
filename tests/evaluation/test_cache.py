"""The cache: measured once, again when anything differs, and never half."""

import numpy as np
import pytest

from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.evaluation.cache import Cache, model_checksum
from tests.toy_model import toy_config, write_model_dir


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


def test_model_checksum(tmp_path):
    write_model_dir(tmp_path / "a")
    write_model_dir(tmp_path / "b", seed=2)

    def of_run(name):
        return model_checksum(tmp_path / name, open_run_dir(tmp_path / name).checkpoint)

    a, b = of_run("a"), of_run("b")
    assert a != b and a == of_run("a")
    write_model_dir(tmp_path / "b", config=toy_config(noise_channels=4), seed=2)
    assert of_run("b") != b
    exported = tmp_path / "exported" / "1"
    exported.mkdir(parents=True)
    (exported / "saved_model.pb").write_bytes(b"a")
    first = model_checksum(tmp_path / "exported")
    (exported / "saved_model.pb").write_bytes(b"b")
    assert model_checksum(tmp_path / "exported") != first
