"""The sample set is drawn and built once."""

from benchmarks import records
from data_pipeline.records.manifest import Manifest


def test_sample_records(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "DRAWN", dict(images=3, val_images=1, size=(64, 96)))
    path = records.sample_records(64, tmp_path)
    manifest = Manifest.read(path)
    assert manifest.image_size == (64, 64)
    assert manifest.splits["train"].examples == 3
    assert manifest.command.startswith("python -m data_pipeline.build --dataset sample --source")
    before = (path / "manifest.json").stat().st_mtime_ns
    assert records.sample_records(64, tmp_path) == path
    assert (path / "manifest.json").stat().st_mtime_ns == before
