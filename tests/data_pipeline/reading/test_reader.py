import shutil

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.build import main
from data_pipeline.errors import DataError
from data_pipeline.reading.reader import eval_dataset, explain_read_error, train_dataset
from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.sources import save_ids, write_folder

TRAIN, VAL = 11, 7


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """11 training images without crop margin, so that each is known by its one-class label map."""
    root = tmp_path_factory.mktemp("reader")
    source = write_folder(root / "own", TRAIN, VAL, [f"class {i}" for i in range(TRAIN)])
    for i, path in enumerate(sorted((source / "labels/train").iterdir())):
        save_ids(path, np.full((40, 60), i))
    flags = ["--dataset", "folder", "--source", str(source), "--image_size", "64", "128"]
    flags += ["--workers", "1"]
    assert main([*flags, "--out", str(root / "plain"), "--no_crop"]) == 0
    assert main([*flags, "--out", str(root / "margin")]) == 0
    return root


@pytest.fixture
def plain(built):
    return built / "plain"


@pytest.fixture
def damaged(plain, tmp_path):
    return shutil.copytree(plain, tmp_path / "copy")


def examples(dataset, count):
    """The first `count` examples of a batched stream."""
    batches = []
    for batch in dataset:
        batches.append(batch)
        if sum(len(part["image"]) for part in batches) >= count:
            break
    return {key: np.concatenate([b[key] for b in batches])[:count] for key in batches[0]}


def identities(dataset, count):
    return examples(dataset, count)["label_map"][:, 0, 0] - 1  # class i is our id i + 1


def same(one, other):
    return all((one[key] == other[key]).all() for key in one)


def test_shapes_and_ranges(built):
    for name in ("plain", "margin"):
        spec = train_dataset(built / name, batch_size=4, seed=0).element_spec
        assert spec["image"] == tf.TensorSpec((4, 64, 128, 3), tf.float32)
        assert spec["label_map"] == tf.TensorSpec((4, 64, 128), tf.int32)
        batch = next(iter(train_dataset(built / name, batch_size=4, seed=0)))
        assert -1 <= batch["image"].numpy().min() < batch["image"].numpy().max() <= 1


@pytest.mark.parametrize("shuffle_buffer", [1, 4, 1024])
def test_each_image_once_an_epoch_across_batches(plain, shuffle_buffer):
    stream = train_dataset(plain, batch_size=3, seed=0, shuffle_buffer=shuffle_buffer)
    epochs = identities(stream, 4 * TRAIN).reshape(4, TRAIN)
    for epoch in epochs:
        assert sorted(epoch) == list(range(TRAIN))
    assert len({tuple(epoch) for epoch in epochs}) == 4  # each in another order


def test_seed_decides(plain):
    streams = [examples(train_dataset(plain, batch_size=5, seed=s), 30) for s in (1, 1, 2)]
    assert same(streams[0], streams[1])
    assert not (streams[0]["label_map"] == streams[2]["label_map"]).all()


def test_parallelism_and_global_seeds_do_not_matter(built):
    data = built / "margin"
    one = examples(train_dataset(data, batch_size=5, seed=1, parallel_calls=1), 30)
    tf.random.set_seed(77)
    many = examples(train_dataset(data, batch_size=3, seed=1, parallel_calls=8), 30)
    assert same(one, many)


@pytest.mark.parametrize("shuffle_buffer", [4, 1024])
def test_start_continues_the_stream(built, shuffle_buffer):
    arguments = {"batch_size": 1, "seed": 3, "shuffle_buffer": shuffle_buffer}
    whole = examples(train_dataset(built / "margin", **arguments), 36)
    # Epochs of 11; windows of 4, 4, 3 or of a whole epoch.
    for start in (0, 3, 4, 10, 11, 16, 25) if shuffle_buffer == 4 else (0, 1, 11, 25):
        rest = examples(train_dataset(built / "margin", start=start, **arguments), 10)
        assert same(rest, {key: value[start : start + 10] for key, value in whole.items()})


@pytest.mark.parametrize("start", [0, 7])
def test_parts_make_up_the_batches(built, start):
    arguments = {"batch_size": 6, "seed": 3, "start": start, "shuffle_buffer": 4}
    whole = list(train_dataset(built / "margin", **arguments).take(4))
    streams = [train_dataset(built / "margin", part=(i, 3), **arguments) for i in range(3)]
    assert streams[0].element_spec["image"].shape == (2, 64, 128, 3)
    for batch, *parts in zip(whole, *(stream.take(4) for stream in streams), strict=True):
        joined = {key: np.concatenate([part[key] for part in parts]) for key in batch}
        assert same(joined, {key: value.numpy() for key, value in batch.items()})


@pytest.mark.parametrize("part, batch_size", [((2, 2), 6), ((-1, 2), 6), ((0, 4), 6), ((0, 0), 6)])
def test_a_part_that_is_none(plain, part, batch_size):
    with pytest.raises(DataError, match=r"part must be \(index, count\).*batch_size 6"):
        train_dataset(plain, batch_size=batch_size, seed=0, part=part)


def test_augmentation_differs_between_epochs(plain):
    arrays = examples(train_dataset(plain, batch_size=1, seed=0), 8 * TRAIN)
    of_first = arrays["image"][arrays["label_map"][:, 0, 0] == 1]
    assert len(np.unique(of_first, axis=0)) == 2  # without a margin: as it is, and mirrored


def test_set_smaller_than_a_batch(plain):
    with pytest.raises(DataError, match=r"at least batch_size.*11 examples, batch_size 12"):
        train_dataset(plain, batch_size=12, seed=0)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 8, 20])
def test_evaluation_gives_every_image_once_in_order(plain, batch_size):
    names = []
    for batch in eval_dataset(plain, batch_size=batch_size):
        assert batch["image"].shape == (batch_size, 64, 128, 3)
        assert batch["label_map"].shape == (batch_size, 64, 128)
        valid = batch["valid"].numpy()
        names += batch["name"].numpy()[valid].tolist()
        assert not batch["image"].numpy()[~valid].any()
        assert set(batch["name"].numpy()[~valid]) <= {b""}
    assert names == [f"val_{i:02d}".encode() for i in range(VAL)]


def test_evaluation_of_the_training_split_is_cut_in_the_middle(built):
    batch = next(iter(eval_dataset(built / "margin", batch_size=TRAIN, split="train")))
    assert batch["image"].shape == (TRAIN, 64, 128, 3) and batch["valid"].numpy().all()


@pytest.mark.parametrize("split", ["train", "val"])
def test_evaluation_as_bytes(built, split):
    arguments = {"batch_size": 4, "split": split}
    plain = list(eval_dataset(built / "margin", **arguments))
    stored = list(eval_dataset(built / "margin", **arguments, as_bytes=True))
    assert stored[0]["image"].dtype == tf.uint8
    for one, other in zip(plain, stored, strict=True):
        valid = one["valid"].numpy()
        np.testing.assert_array_equal(valid, other["valid"])
        image = np.float32(other["image"]) / np.float32(127.5) - 1
        np.testing.assert_array_equal(one["image"].numpy()[valid], image[valid])
        assert not other["image"].numpy()[~valid].any()
        np.testing.assert_array_equal(one["label_map"], other["label_map"])
        np.testing.assert_array_equal(one["name"], other["name"])


def test_no_such_split_and_no_data_set(plain, tmp_path):
    with pytest.raises(DataError, match=r"split 'test'. Received: train, val"):
        eval_dataset(plain, batch_size=1, split="test")
    with pytest.raises(DataError, match="no complete data set"):
        train_dataset(tmp_path, batch_size=1, seed=0)
    with pytest.raises(DataError, match="batch_size must be 1 or more"):
        eval_dataset(plain, batch_size=0)


def test_missing_and_truncated_shards(damaged):
    shard = damaged / Manifest.read(damaged).splits["train"].shards[2].name
    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(DataError, match=f"{shard.name} is truncated"):
        train_dataset(damaged, batch_size=1, seed=0)
    shard.unlink()
    with pytest.raises(DataError, match=f"{shard.name} must exist"):
        train_dataset(damaged, batch_size=1, seed=0)
    eval_dataset(damaged, batch_size=1)  # the other split is whole


def test_damage_inside_a_shard_is_explained(damaged):
    shard = damaged / Manifest.read(damaged).splits["train"].shards[2].name
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 255
    shard.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError) as caught:
        examples(train_dataset(damaged, batch_size=1, seed=0), TRAIN)
    explained = explain_read_error(damaged, caught.value)
    assert isinstance(explained, DataError)
    assert shard.name in str(explained) and str(explained).count(".tfrecord") == 1


def test_a_shard_that_vanishes_while_reading_is_explained(damaged):
    stream = train_dataset(damaged, batch_size=1, seed=0)
    shard = damaged / Manifest.read(damaged).splits["train"].shards[0].name
    shard.unlink()
    with pytest.raises(tf.errors.NotFoundError) as caught:
        examples(stream, TRAIN)
    assert f"{shard.name} must exist" in str(explain_read_error(damaged, caught.value))


def test_an_error_that_is_no_damage_is_quoted(plain):
    error = tf.errors.DataLossError(None, None, "strange")
    assert "strange" in str(explain_read_error(plain, error))
