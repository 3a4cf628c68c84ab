"""Two replicas with half the batch each make the update of one device with the whole batch.

So do repeated passes (`rematerialize`).
Run as a program it is one of the workers that TF_CONFIG names, and writes its state to a file.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import orbit
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.trainer import Trainer
from tests.conftest import eagerly
from tests.training.summed_sgd import SummedSGD

N, B, H, W = 3, 4, 64, 128
STEPS = 2
ROOT = Path(__file__).parents[2]


def make_batch(*, equal_halves):
    """A batch; with `equal_halves` the class counts are the same in each half of it.

    Otherwise class 1 is rare in the first half and the only labelled one in the second.
    """
    rng = np.random.default_rng(0)
    half = np.repeat(rng.integers(0, N, (B // 2, H, 1)), W, axis=2)
    other = half[:, ::-1]
    if not equal_halves:
        half, other = np.where(np.arange(H)[:, None] < 4, 1, np.full_like(half, 2)), half.clip(0, 1)
    image = rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32)
    return {"image": image, "label_map": np.concatenate([half, other]).astype(np.int32)}


def train(strategy, batch, class_balance="replica", *, rematerialize=False):
    """Losses and variables after some steps."""
    options = dict(base_channels=1, gain=1.0, rematerialize=rematerialize)
    keras.utils.set_random_seed(0)
    with strategy.scope():
        generator, average = (Generator(N, noise_channels=4, hidden=8, **options) for _ in range(2))
        discriminator = Discriminator(N, **options)
        # Plain gradient descent: Adam's first steps are the gradient's sign, which turns
        # rounding into whole steps, and hides a gradient that is summed twice.
        optimizers = [SummedSGD(0.1) for _ in range(2)]
        for optimizer, model in zip(optimizers, (generator, discriminator), strict=True):
            optimizer.build(model.trainable_variables)

        def batches(_):
            def of_worker(context):
                part = B // context.num_input_pipelines
                rows = slice(
                    context.input_pipeline_id * part, (context.input_pipeline_id + 1) * part
                )
                mine = {name: value[rows] for name, value in batch.items()}
                examples = tf.data.Dataset.from_tensor_slices(mine).repeat()
                return examples.batch(B // context.num_replicas_in_sync)

            return iter(strategy.distribute_datasets_from_function(of_worker))

        trainer = Trainer(
            AdversarialStep(
                generator,
                discriminator,
                *optimizers,
                labelmix_weight=10.0,
                class_balance=class_balance,
            ),
            ema_generator=average,
            ema_decay=0.5,
            batches=batches,
            batch_size=B,
            seed=3,
            global_step=orbit.utils.create_global_step(),
        )
    metrics = trainer.train(STEPS)
    assert int(trainer.global_step.numpy()) == STEPS
    losses = np.array([metrics[name] for name in sorted(metrics) if name.startswith("loss")])
    state = [v.numpy() for m in (generator, average, discriminator) for v in m.variables]
    return losses, state


def assert_same(actual, expected):
    """Losses, weights, averages, singular vectors and batch statistics."""
    np.testing.assert_allclose(actual[0], expected[0], rtol=1e-4)
    assert len(actual[1]) > 300
    for a, b in zip(actual[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * max(1, np.abs(b).max()))


@pytest.mark.slow
def test_two_replicas_equal_one_where_their_classes_are_alike(mirrored, eager):
    batch = make_batch(equal_halves=True)
    assert_same(train(mirrored, batch), train(tf.distribute.get_strategy(), batch))


@pytest.fixture(scope="module")
def one_device():
    with eagerly():
        return train(tf.distribute.get_strategy(), make_batch(equal_halves=False))


def test_two_replicas_equal_one_where_classes_are_counted_over_both(mirrored, one_device, eager):
    assert_same(train(mirrored, make_batch(equal_halves=False), "batch"), one_device)


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_repeated_passes_make_the_same_update(mirrored, one_device, devices):
    strategy = mirrored if devices == 2 else tf.distribute.get_strategy()
    batch = make_batch(equal_halves=False)
    assert_same(train(strategy, batch, "batch", rematerialize=True), one_device)


@pytest.mark.slow
def test_classes_counted_by_each_replica_make_another_update(mirrored, one_device, eager):
    losses, _ = train(mirrored, make_batch(equal_halves=False), "replica")
    expected = one_device[0]
    there = expected != 0  # without a perceptual loss its curve is 0
    assert np.abs(losses[there] / expected[there] - 1).max() > 0.01


@pytest.mark.slow
def test_two_workers_equal_one(one_device, tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.test_distribution", tmp_path / f"{i}.npz"],
            cwd=ROOT,
            env={**os.environ, "TF_CONFIG": config},
        )
        for i, config in enumerate(tf_configs(2))
    ]
    assert [process.wait(timeout=1200) for process in processes] == [0, 0]
    for i in range(2):
        with np.load(tmp_path / f"{i}.npz") as written:
            losses, *state = (written[name] for name in written.files)
        assert_same((losses, state), one_device)


def tf_configs(count):
    """TF_CONFIG of each of `count` workers on free ports of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}})
        for i in range(count)
    ]


if __name__ == "__main__":
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    everyone = tf.distribute.MultiWorkerMirroredStrategy()
    found = train(everyone, make_batch(equal_halves=False), "batch")
    np.savez(sys.argv[1], found[0], *found[1])
