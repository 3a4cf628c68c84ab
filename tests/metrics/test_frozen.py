"""Weights that are absent, and downloads."""

import hashlib

import pytest

from oasis_tf.metrics import frozen
from oasis_tf.metrics.frozen import MissingWeights, WeightsFile, find, weights_dir


def test_what_is_missing_and_where_to_put_it(tmp_path):
    with pytest.raises(MissingWeights) as caught:
        find(frozen.INCEPTION, tmp_path / "none")
    for word in (str(tmp_path / "none"), frozen.INCEPTION.url, "--weights_dir"):
        assert word in str(caught.value)
    assert not (tmp_path / "none").exists()


def test_where(tmp_path, monkeypatch):
    monkeypatch.delenv("OASIS_WEIGHTS", raising=False)
    assert weights_dir().parts[-2:] == (".cache", "oasis_tf")
    monkeypatch.setenv("OASIS_WEIGHTS", str(tmp_path))
    assert weights_dir() == tmp_path
    assert weights_dir("here").name == "here"


def test_download_checks_what_arrives(tmp_path, monkeypatch):
    def fetch(url, path):
        path.write_bytes(b"weights")

    monkeypatch.setattr(frozen, "fetch", fetch)
    digits = hashlib.sha256(b"weights").hexdigest()[:8]
    good, bad = WeightsFile(f"net-{digits}.pth", "u"), WeightsFile("net-00000000.pth", "u")
    assert find(good, tmp_path / "new", download=True).read_bytes() == b"weights"
    with pytest.raises(MissingWeights, match="SHA-256"):
        find(bad, tmp_path / "new", download=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [good.name]
