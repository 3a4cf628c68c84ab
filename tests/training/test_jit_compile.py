"""The step in the forms that XLA has kernels for, and compiled by it, against the plain one."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.execution import for_xla
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.models.padded_index import SHARES
from oasis_tf.training.indexing import add_patch_index
from oasis_tf.training.step import METRICS, AdversarialStep
from oasis_tf.training.trainer import Trainer
from tests.training.summed_sgd import SummedSGD

N, Z, B, H, W = 3, 4, 2, 64, 128


def make_trainer(jit_compile, label_maps, accumulate=1):
    """A `Trainer` on random pictures of these label maps."""
    keras.utils.set_random_seed(0)
    options = dict(base_channels=1, gain=1.0)
    generator, average = (Generator(N, noise_channels=Z, hidden=8, **options) for _ in range(2))
    discriminator = Discriminator(N, **options)
    optimizers = []
    for model in (generator, discriminator):
        # Not Adam, whose first step is the gradient's sign.
        optimizers.append(SummedSGD(0.1))
        optimizers[-1].build(model.trainable_variables)
    step = AdversarialStep(generator, discriminator, *optimizers, labelmix_weight=10.0)
    images = np.random.default_rng(1).uniform(-1, 1, (len(label_maps), B, H, W, 3))
    dataset = tf.data.Dataset.from_tensor_slices(
        {"image": images.astype(np.float32), "label_map": np.array(label_maps, np.int32)}
    )
    add = functools.partial(
        add_patch_index,
        num_classes=N,
        micro_batches=accumulate,
        shares=SHARES if jit_compile else None,
    )
    return Trainer(
        step,
        ema_generator=average,
        ema_decay=0.9,
        batches=lambda done: iter(dataset.map(add)),
        batch_size=B,
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64),
        accumulate=accumulate,
        jit_compile=jit_compile,
    )


def make_label_maps(rng):
    """One with few distinct patches, one with many."""
    few = np.repeat(rng.integers(0, N, (B, H // 16, 1)), 16, axis=1).repeat(W, axis=2)
    return [few, rng.integers(0, N, (B, H, W))]


def state(trainer):
    models = (trainer._step.generator, trainer._step.discriminator, trainer._ema_generator)
    return [v.numpy() for model in models for v in model.variables]


def assert_same(actual, expected, tolerance):
    assert len(actual) > 300
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1, np.abs(b).max()))


def compare(trainer, plain, tolerance):
    """One more step of both."""
    before, metrics, expected = state(plain), trainer.train(1), plain.train(1)
    for name in METRICS:
        if not name.startswith("skipped/"):
            np.testing.assert_allclose(
                metrics[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=name
            )
    assert_same(state(trainer), state(plain), tolerance)
    assert max(np.abs(a - b).max() for a, b in zip(before, state(plain), strict=True)) > 1e-3


def test_in_its_forms_the_step_is_the_same(rng, eager):
    label_maps = make_label_maps(rng)[:1]
    # Eagerly nothing is compiled, but the forms are those that would be.
    compare(make_trainer(True, label_maps), make_trainer(False, label_maps), 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 2])
def test_compiled_the_step_is_the_same(rng, accumulate):
    label_maps = make_label_maps(rng)
    trainer, plain = (make_trainer(jit, label_maps, accumulate) for jit in (True, False))
    compare(trainer, plain, 1e-5)
    # Of another size: compiled anew, of the same graph.
    compare(trainer, plain, 1e-4)
    assert trainer._train_step.experimental_get_tracing_count() == 1
    assert plain._train_step.experimental_get_tracing_count() == 1


def test_forms_are_asked_for_where_they_are_traced():
    from oasis_tf.execution import by_xla

    with for_xla():
        assert by_xla()
        with for_xla(False):
            assert by_xla()  # what is inside of what XLA compiles is compiled
    assert not by_xla()
