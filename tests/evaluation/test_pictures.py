"""Chunks of a split, as they are stored, and what is drawn for them."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.reading.reader import eval_dataset
from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation import pictures
from oasis_tf.evaluation.pictures import Sampler, chunks
from oasis_tf.images import to_uint8
from tests.evaluation.fakes import FakeSynthesizer
from tests.toy_data import build_records


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"), images=5)


@pytest.fixture(autouse=True)
def chunks_of_two(monkeypatch):
    monkeypatch.setattr(pictures, "CHUNK", 2)


def test_chunks(records):
    sampler = Sampler(FakeSynthesizer(), 0)
    found = list(chunks(records, "train", sampler))
    assert [(chunk.first, len(chunk.names)) for chunk in found] == [(0, 2), (2, 2), (4, 1)]
    assert [len(c.names) for c in chunks(records, "train", sampler, 3)] == [2, 1]


def test_pictures_are_numbered_over_the_split(records):
    last = list(chunks(records, "train", Sampler(FakeSynthesizer(), 10)))[-1]
    assert last.fake[:, 0, 0, 0].tolist() == [14]
    assert last.pictures(of_model=True) is last.fake
    assert last.pictures(of_model=False) is last.real


def stored_pictures(records, split):
    """The photographs of a split as Pillow reads them from the records, uint8 (n, H, W, 3)."""
    found = []
    for shard in Manifest.read(records).splits[split].shards:
        for record in tf.data.TFRecordDataset(str(Path(records) / shard.name)):
            example = tf.train.Example.FromString(record.numpy())
            (content,) = example.features.feature["image"].bytes_list.value
            found.append(np.asarray(Image.open(io.BytesIO(content))))
    return np.array(found)


# Validation pictures are stored as large as they are read; training ones larger.
@pytest.mark.parametrize("split, stored", [("val", (64, 128)), ("train", (72, 143))])
def test_photographs_are_the_stored_bytes(records, split, stored):
    whole = stored_pictures(records, split)
    assert whole.shape[1:3] == stored
    top, left = (stored[0] - 64) // 2, (stored[1] - 128) // 2
    real = np.concatenate([chunk.real for chunk in chunks(records, split, None)])
    assert real.dtype == np.uint8
    np.testing.assert_array_equal(real, whole[:, top : top + 64, left : left + 128])
    # And what rounding the networks' numbers back gives.
    floats = [batch["image"] for batch in eval_dataset(records, batch_size=1, split=split)]
    np.testing.assert_array_equal(real, to_uint8(np.concatenate(floats)))
