"""The explosion of the first steps, at toy size: what enters Adam, and what becomes of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.adam import build_adam
from oasis_tf.training.step import NETWORKS, AdversarialStep
from tests.training.test_step import make_batch

STEPS = 6


class RecordingAdam:
    """Stands before an optimizer and keeps the norms of what it gets."""

    def __init__(self, optimizer):
        self._optimizer = optimizer
        self.norms = []

    def scale_loss(self, loss):
        return loss

    def apply(self, gradients, variables):
        self.norms.append(tf.linalg.global_norm(gradients))
        self._optimizer.apply(gradients, variables)


def train(guarded, precision="float32"):
    """(norms that entered the optimizers, losses of the discriminator), of each step."""
    # With this seed and these widths the released start meets a norm of 5e6 in its third step.
    keras.utils.set_random_seed(1)
    generator = Generator(3, base_channels=4, noise_channels=4, hidden=8, dtype=precision)
    discriminator = Discriminator(3, base_channels=4, dtype=precision)
    optimizers = [
        RecordingAdam(build_adam(rate, model))
        for rate, model in ((1e-4, generator), (4e-4, discriminator))
    ]
    step = AdversarialStep(
        generator, discriminator, *optimizers, labelmix_weight=10.0, clips=guarded
    )
    batch = make_batch(np.random.default_rng(5))

    @tf.function(autograph=False)
    def run():
        for optimizer in optimizers:
            optimizer.norms.clear()
        metrics = step(*batch)
        if guarded:
            step.refine(4)
        return metrics["loss/discriminator"], [o.norms[0] for o in optimizers]

    losses, norms = zip(*(run() for _ in range(STEPS)), strict=True)
    return dict(zip(NETWORKS, np.array(norms, float).T, strict=True)), np.array(losses, float)


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)]
)
def test_no_explosion_enters_the_optimisers(precision, eager):
    norms, losses = train(True, precision)
    for network in NETWORKS:
        assert norms[network].max() < 100 * np.median(norms[network]), network
    released_norms, released_losses = train(False, precision)
    assert released_norms["discriminator"].max() > 1000 * np.median(released_norms["discriminator"])
    # After it the released start stands still, for Adam's second moment remembers it.
    assert np.ptp(losses[-3:]) > 10 * np.ptp(released_losses[-3:])
