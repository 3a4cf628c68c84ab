"""The inner loop by itself, around a step that is as simple as can be."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.training.step import METRICS
from oasis_tf.training.trainer import (
    OVERFLOWS,
    POWER_ITERATIONS,
    REFINED_STEPS,
    NonFiniteLossError,
    OverflowingError,
    Trainer,
)

# Of each step, and what `train` says of several: their mean, largest, or something else.
MEANS = [name for name in METRICS if name.startswith(("loss/", "gradient_norm/"))]


class Step:
    """Metrics: the sum of what it has seen so far, times 1, 2, ...; others as given by a test.

    Args:
        others: dict from names of `METRICS` to function of that sum.
    """

    def __init__(self, others=None):
        self.seen = keras.Variable(0.0)
        self.refined = keras.Variable(0.0)
        self.generator = types.SimpleNamespace(
            noise_channels=2,
            num_classes=3,
            trainable_variables=[self.seen],
            non_trainable_variables=[],
        )
        self.generator_optimizer = self.discriminator_optimizer = None
        self._others = others or {}

    def __call__(self, image, label_map, generator_noise, discriminator_noise, mask_bits):
        self.seen.assign_add(tf.reduce_sum(image) + generator_noise[0, 0])
        metrics = {name: (i + 1) * self.seen.value for i, name in enumerate(METRICS)}
        metrics |= {name: tf.zeros(()) for name in METRICS if name.startswith("skipped/")}
        return {**metrics, **{n: f(tf.reduce_sum(image)) for n, f in self._others.items()}}

    def refine(self, iterations):
        self.refined.assign_add(iterations)


def make(images, others=None, **options):
    step = Step(others)
    average = types.SimpleNamespace(
        trainable_variables=[keras.Variable(0.0)], non_trainable_variables=[]
    )
    dataset = tf.data.Dataset.from_tensor_slices(
        {"image": tf.constant(images, tf.float32)[:, None], "label_map": tf.zeros((len(images), 1))}
    )
    return Trainer(
        step,
        ema_generator=average,
        batches=lambda done: iter(dataset.skip(done)),
        batch_size=1,
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64),
        **{"ema_decay": 0.5, **options},
    ), average


IMAGES = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]


@pytest.mark.parametrize("steps_per_loop", [2, 3, 100])
def test_many_steps_in_one_call_are_the_same_steps(steps_per_loop):
    (one, one_average), (many, many_average) = (
        make(IMAGES),
        make(IMAGES, steps_per_loop=steps_per_loop),
    )
    for count in (5, 2):  # neither is a multiple of 2 and 3
        expected, actual = one.train(count), many.train(count)
        for name in MEANS:
            assert actual[name] == expected[name]
    assert int(many.global_step.numpy()) == len(IMAGES)
    pairs = zip(one_average.trainable_variables, many_average.trainable_variables, strict=True)
    for a, b in pairs:
        assert a.numpy() == b.numpy() != 0
    assert many._train_steps.experimental_get_tracing_count() == 1


def test_means_over_the_steps():
    trainer, _ = make(IMAGES, steps_per_loop=4)
    metrics = trainer.train(4)
    assert metrics[METRICS[1]] == pytest.approx(2 * metrics[METRICS[0]])
    single, _ = make(IMAGES)
    values = [single.train(1)[METRICS[0]] for _ in range(4)]
    assert metrics[METRICS[0]] == np.mean(values)


@pytest.mark.parametrize("steps_per_loop", [1, 3])
def test_the_step_that_is_not_finite_is_named(steps_per_loop):
    trainer, _ = make([1.0, 2.0, 4.0, np.inf, 1.0, 1.0], steps_per_loop=steps_per_loop)
    trainer.train(1)
    with pytest.raises(NonFiniteLossError, match=r"loss/generator is inf at step 4"):
        trainer.train(5)


@pytest.mark.parametrize("steps_per_loop", [1, 4])
def test_the_largest_multiple_and_every_explosion_are_told(steps_per_loop):
    images = [1.0, 2000.0, 3.0, 5000.0, 900.0]
    others = {"gradient_excess/discriminator": lambda image: image}
    trainer, _ = make(images, others, steps_per_loop=steps_per_loop)
    trainer.train(1)
    output = trainer.train(4)
    assert output["gradient_excess/discriminator"] == 5000
    explosions = [e for e in output["explosions"] if e[0] == "discriminator"]
    assert [(step, multiple) for _, step, _, multiple in explosions] == [(2, 2000.0), (4, 5000.0)]
    assert "skipped/generator" not in output


@pytest.mark.parametrize("steps_per_loop", [1, 7])
def test_overflows_in_a_row_end_the_run(steps_per_loop):
    # One short of the limit, a good update, then the limit; in calls of nine steps.
    skipped = [1.0] * (OVERFLOWS - 1) + [0.0] + [1.0] * OVERFLOWS
    others = {"skipped/generator": lambda image: image}
    trainer, _ = make(skipped, others, steps_per_loop=steps_per_loop)
    for _ in range(len(skipped) // 9):
        trainer.train(9)
    with pytest.raises(OverflowingError, match=f"generator in a row .* step {len(skipped)};"):
        trainer.train(len(skipped) % 9)
    assert len(skipped) % 9


@pytest.mark.parametrize("start", ["guarded", "released"])
def test_the_average_warms_up_and_sigma_is_refined(start):
    trainer, average = make(IMAGES, start=start, ema_decay=0.25)
    trainer._step.seen.assign(3.0)
    expected = 0.0
    for step in range(3):
        trainer.train(1)
        decay = min(0.25, (1 + step) / (10 + step)) if start == "guarded" else 0.25
        expected = decay * expected + (1 - decay) * trainer._step.seen.numpy()
        np.testing.assert_allclose(average.trainable_variables[0].numpy(), expected, rtol=1e-6)
    trainer.global_step.assign(REFINED_STEPS - 1)
    trainer.train(2)
    times = 4 if start == "guarded" else 0
    assert trainer._step.refined.numpy() == times * POWER_ITERATIONS
