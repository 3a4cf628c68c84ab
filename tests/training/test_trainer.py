"""The inner loop by itself, around a step that is as simple as can be."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.training.step import METRICS
from oasis_tf.training.trainer import NonFiniteLossError, Trainer


class Step:
    """Metrics: the sum of what it has seen so far, times 1, 2, ..."""

    def __init__(self):
        self.seen = keras.Variable(0.0)
        self.generator = types.SimpleNamespace(
            noise_channels=2,
            num_classes=3,
            trainable_variables=[self.seen],
            non_trainable_variables=[],
        )
        self.generator_optimizer = self.discriminator_optimizer = None

    def __call__(self, image, label_map, generator_noise, discriminator_noise, coins):
        self.seen.assign_add(tf.reduce_sum(image) + generator_noise[0, 0])
        return {name: (i + 1) * self.seen.value for i, name in enumerate(METRICS)}


def make(images, **options):
    step = Step()
    average = types.SimpleNamespace(
        trainable_variables=[keras.Variable(0.0)], non_trainable_variables=[]
    )
    dataset = tf.data.Dataset.from_tensor_slices(
        {"image": tf.constant(images, tf.float32)[:, None], "label_map": tf.zeros((len(images), 1))}
    )
    return Trainer(
        step,
        ema_generator=average,
        ema_decay=0.5,
        batches=lambda done: iter(dataset.skip(done)),
        batch_size=1,
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64),
        **options,
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
        for name in METRICS:
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
