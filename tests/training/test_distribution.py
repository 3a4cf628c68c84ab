"""Two replicas with half the batch each make the update of one device with the whole batch.

So do repeated passes.
"""

import keras
import numpy as np
import orbit
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.trainer import Trainer

N, B, H, W = 3, 4, 64, 128


def half_of_each_class(rng):
    """Label maps whose class counts are the same in each half of the batch.

    The class balance is per replica, as in the released code; only then is it the same for two
    replicas as for one.
    """
    half = np.repeat(rng.integers(0, N, (B // 2, H, 1)), W, axis=2)
    return np.concatenate([half, half[:, ::-1]]).astype(np.int32)


def train(strategy, *, rematerialize=False, steps=2):
    """Metrics and variables after some steps."""
    rng = np.random.default_rng(0)
    batch = {
        "image": rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32),
        "label_map": half_of_each_class(rng),
    }
    options = dict(base_channels=1, gain=1.0, rematerialize=rematerialize)
    keras.utils.set_random_seed(0)
    with strategy.scope():
        generator, average = (Generator(N, noise_channels=4, hidden=8, **options) for _ in range(2))
        discriminator = Discriminator(N, **options)
        # Plain gradient descent: Adam's first steps are the gradient's sign, which turns
        # rounding into whole steps.
        optimizers = [keras.optimizers.SGD(0.1) for _ in range(2)]
        for optimizer, model in zip(optimizers, (generator, discriminator), strict=True):
            optimizer.build(model.trainable_variables)
        trainer = Trainer(
            AdversarialStep(generator, discriminator, *optimizers, labelmix_weight=10.0),
            ema_generator=average,
            ema_decay=0.5,
            batches=lambda _: iter(
                strategy.experimental_distribute_dataset(
                    tf.data.Dataset.from_tensors(batch).repeat().unbatch().batch(B)
                )
            ),
            batch_size=B,
            seed=3,
            global_step=orbit.utils.create_global_step(),
        )
    metrics = trainer.train(steps)
    state = [v.numpy() for m in (generator, average, discriminator) for v in m.variables]
    assert int(trainer.global_step.numpy()) == steps
    return metrics, state


@pytest.fixture(scope="module")
def on_one_device():
    return train(tf.distribute.get_strategy())


@pytest.mark.parametrize(
    "devices, rematerialize", [(2, False), (1, True), (2, True)], ids=["two", "again", "two-again"]
)
def test_equal_to_one_device(on_one_device, mirrored, devices, rematerialize):
    strategy = mirrored if devices == 2 else tf.distribute.get_strategy()
    metrics, state = train(strategy, rematerialize=rematerialize)
    expected, expected_state = on_one_device
    for name in expected:
        if name.startswith("loss"):
            np.testing.assert_allclose(metrics[name], expected[name], rtol=1e-4, err_msg=name)
    for a, b in zip(expected_state, state, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-4 * max(1, np.abs(a).max()))
