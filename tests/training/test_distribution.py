"""Two replicas with half the batch each make the update of one device with the whole batch."""

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


def train(strategy, batch, steps):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        generator, average = (
            Generator(N, base_channels=1, noise_channels=4, hidden=8, gain=1.0) for _ in range(2)
        )
        discriminator = Discriminator(N, base_channels=1, gain=1.0)
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
    return metrics, state, int(trainer.global_step.numpy())


@pytest.mark.parametrize("steps", [2])
def test_two_replicas_equal_one(rng, mirrored, steps):
    batch = {
        "image": rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32),
        "label_map": half_of_each_class(rng),
    }
    one, one_state, _ = train(tf.distribute.get_strategy(), batch, steps)
    two, two_state, done = train(mirrored, batch, steps)
    assert done == steps
    for name in one:
        if name.startswith("loss"):
            np.testing.assert_allclose(two[name], one[name], rtol=1e-4, err_msg=name)
    for a, b in zip(one_state, two_state, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-4 * max(1, np.abs(a).max()))
