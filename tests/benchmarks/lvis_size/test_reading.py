"""Records as many as a data set's, made of a few; what is measured of them."""

import pytest

from benchmarks.lvis_size import draw, reading, records
from data_pipeline.reading.reader import eval_dataset
from data_pipeline.records.manifest import Manifest

SCALE = 0.0012  # 120 pictures to train with, 24 to validate


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "_DISTINCT_PICTURES", 2)
        patch.setattr(draw, "_DISTINCT_OUTLINES", 40)
        patch.setattr(records, "_BUILT", SCALE / 4)
        return records.draw_records(tmp_path_factory.mktemp("work"), "records", SCALE)


def test_as_many_as_in_the_data_set(directory):
    manifest = Manifest.read(directory)
    manifest.check_shards(directory)
    train, val = manifest.splits["train"], manifest.splits["val"]
    assert 120 <= train.examples < 120 + 30 and 24 <= val.examples < 24 + 30
    assert sum(1 for _ in eval_dataset(directory, batch_size=1)) == val.examples
    # Shards of one content are one file.
    assert len({path.stat().st_ino for path in directory.glob("*.tfrecord")}) <= 30


def test_reading(directory, monkeypatch):
    monkeypatch.setattr(reading, "_BATCH", 4)
    found = reading.read(directory, 0.2)
    assert found["images_per_s"] > 0 and found["memory_mib"] >= 0
    # The epoch ends within the batches that are waited for.
    assert 0 < found["next_epoch_s"] and 0 < found["middle_batch_s"]


def test_what_evaluation_costs(directory):
    for cost in (reading.appearance(directory, 100), reading.confusion(100)):
        assert cost["seconds"] > 0 and cost["peak_mib"] > 50
    assert reading.features("kid", 20)["measured"] == 1
