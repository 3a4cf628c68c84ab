"""Batches through a real tf.data service, whose servers come and go."""

import collections
import socket
import types

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.build import main
from data_pipeline.errors import DataError
from data_pipeline.reading.reader import eval_dataset
from data_pipeline.reading.service_reader import service_eval_dataset, service_train_dataset
from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.servers import Servers
from tests.data_pipeline.sources import save_ids, write_folder

TRAIN, VAL = 24, 7


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Training images that are known by their one-class label map, in shards of one or two."""
    root = tmp_path_factory.mktemp("service")
    source = write_folder(root / "own", TRAIN, VAL, [f"class {i}" for i in range(TRAIN)])
    for i, path in enumerate(sorted((source / "labels/train").iterdir())):
        save_ids(path, np.full((40, 60), i))
    flags = ["--dataset", "folder", "--source", str(source), "--image_size", "64", "128"]
    assert main([*flags, "--out", str(root / "records"), "--workers", "1"]) == 0
    assert len(Manifest.read(root / "records").splits["train"].shards) > 2
    return root / "records"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A dispatcher and a worker in this process, for the tests that end none."""
    service = tf.data.experimental.service
    journal = str(tmp_path_factory.mktemp("journal"))
    dispatcher = service.DispatchServer(
        service.DispatcherConfig(work_dir=journal, fault_tolerant_mode=True)
    )
    address = dispatcher.target.partition("://")[2]
    worker = service.WorkerServer(service.WorkerConfig(dispatcher_address=address))
    return types.SimpleNamespace(url=dispatcher.target, servers=(dispatcher, worker))


@pytest.fixture
def servers(tmp_path):
    servers = Servers(tmp_path / "journal")
    servers.start_dispatcher()
    yield servers
    servers.close()


def identities(batches, count):
    """Which image each of the first `count` is."""
    found = []
    for batch in batches:
        found += (batch["label_map"].numpy()[:, 0, 0] - 1).tolist()
        if len(found) >= count:
            return found[:count]
    raise AssertionError("the stream ended")


def train(records, servers, **options):
    options = {"batch_size": 3, "seed": 0, **options}
    return service_train_dataset(records, service=servers.url, **options)


def test_shapes_and_ranges(records, running):
    batch = next(iter(train(records, running)))
    assert batch["image"].shape == (3, 64, 128, 3) and batch["image"].dtype == tf.float32
    assert batch["label_map"].shape == (3, 64, 128) and batch["label_map"].dtype == tf.int32
    assert -1 <= batch["image"].numpy().min() < -0.1 and 0.1 < batch["image"].numpy().max() <= 1


def test_each_image_once_an_epoch(records, running):
    """One worker reads the shards in their order, so the epochs are one after the other."""
    epochs = np.reshape(identities(train(records, running), 3 * TRAIN), (3, TRAIN))
    for epoch in epochs:
        assert sorted(epoch) == list(range(TRAIN))
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_seed_and_start_decide(records, running):
    first, again, seed, start = (
        identities(train(records, running, **options), TRAIN)
        for options in ({}, {}, {"seed": 1}, {"start": 6})
    )
    assert first == again
    assert len({tuple(first), tuple(seed), tuple(start)}) == 3
    assert sorted(start) == list(range(TRAIN))


@pytest.mark.parametrize("batch_size", [2, 7])
def test_evaluation_gives_what_the_reader_does(records, running, batch_size):
    def by_name(batches):
        found = {}
        for batch in batches:
            assert batch["image"].shape == (batch_size, 64, 128, 3)
            for i in np.flatnonzero(batch["valid"]):
                assert batch["name"].numpy()[i] not in found
                found[batch["name"].numpy()[i]] = {k: v.numpy()[i] for k, v in batch.items()}
            assert not batch["image"].numpy()[~batch["valid"].numpy()].any()
        return found

    batches = service_eval_dataset(records, service=running.url, batch_size=batch_size)
    expected = by_name(eval_dataset(records, batch_size=batch_size))
    for actual in (by_name(batches), by_name(batches)):  # as often as one likes
        assert actual.keys() == expected.keys() and len(actual) == VAL
        for name, example in expected.items():
            for key, value in example.items():
                np.testing.assert_array_equal(actual[name][key], value)


def test_bad_arguments(records, running):
    with pytest.raises(DataError, match="at least batch_size"):
        train(records, running, batch_size=TRAIN + 1)
    with pytest.raises(DataError, match="split 'test'"):
        service_eval_dataset(records, service=running.url, batch_size=1, split="test")


@pytest.mark.slow
def test_two_workers_share_an_epoch(records, servers):
    workers = [servers.start_worker() for _ in range(2)]
    names = collections.Counter()
    for batch in service_eval_dataset(records, service=servers.url, batch_size=5, split="train"):
        names.update(batch["name"].numpy()[batch["valid"].numpy()].tolist())
    assert len(names) == TRAIN and set(names.values()) == {1}
    # Two epochs may overlap, but no image comes oftener than there are epochs begun.
    counts = collections.Counter(identities(train(records, servers), 20 * TRAIN))
    assert counts.keys() == set(range(TRAIN))
    assert all(worker.poll() is None for worker in workers)


@pytest.mark.slow
def test_a_worker_is_killed_and_another_joins(records, servers):
    workers = [servers.start_worker() for _ in range(2)]
    stream = iter(train(records, servers))
    identities(stream, TRAIN)
    workers[0].kill()
    assert set(identities(stream, 20 * TRAIN)) == set(range(TRAIN))
    servers.start_worker()
    identities(stream, TRAIN)
    workers[1].kill()  # so that what comes now comes from the one that has joined
    assert set(identities(stream, 40 * TRAIN)) == set(range(TRAIN))


@pytest.mark.slow
def test_the_dispatcher_is_killed_and_comes_back(records, servers):
    servers.start_worker()
    stream = iter(train(records, servers))
    before = identities(stream, TRAIN)
    servers.dispatcher.kill()
    servers.dispatcher.wait()
    servers.start_dispatcher()
    # Longer than what had been read ahead; one worker, so still one epoch after the other.
    after = identities(stream, 40 * TRAIN)
    for epoch in np.reshape(after, (40, TRAIN)):
        assert sorted(epoch) == list(range(TRAIN))
    assert sorted(before) == list(range(TRAIN))


@pytest.mark.slow
def test_evaluation_says_that_images_are_missing(records, servers):
    """A worker is killed and started again at its address, which the training waits for."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port = probe.getsockname()[1]
    worker = servers.start_worker(port)
    batches = iter(service_eval_dataset(records, service=servers.url, batch_size=1, split="train"))
    next(batches)
    worker.kill()
    worker.wait()
    servers.start_worker(port)
    try:
        rest = sum(1 for _ in batches)
    except DataError as error:
        assert f"each of the {TRAIN} images of train once" in str(error)
    else:
        assert rest == TRAIN - 1  # all had been sent before the kill
