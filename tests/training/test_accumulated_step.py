"""Accumulated updates against gradients of each micro-batch by itself, on full logits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.losses.labelmix import labelmix_mask, mix
from oasis_tf.losses.segmentation import class_weights
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.accumulated_step import AccumulatedStep
from oasis_tf.training.adam import build_adam
from oasis_tf.training.step import METRICS, AdversarialStep
from tests.training.summed_sgd import SummedSGD

N, Z, B, H, W = 3, 4, 4, 64, 128
MICRO = 2
RATE, LAMBDA = 0.1, 10.0


def make_step(precision="float32", **options):
    keras.utils.set_random_seed(0)
    generator = Generator(N, base_channels=1, noise_channels=Z, hidden=8, gain=1.0, dtype=precision)
    discriminator = Discriminator(N, base_channels=1, gain=1.0, dtype=precision)
    optimizers = []
    for model in (generator, discriminator):
        if precision == "mixed_float16":
            optimizers.append(build_adam(RATE, model, scale_loss=True))
        else:
            # Not Adam, whose first step is the gradient's sign.
            optimizers.append(SummedSGD(RATE))
            optimizers[-1].build(model.trainable_variables)
    return AdversarialStep(generator, discriminator, *optimizers, labelmix_weight=LAMBDA, **options)


def make_inputs():
    rng = np.random.default_rng(4)
    label_map = np.repeat(rng.integers(0, N, (B, H, 1)), W, axis=2).astype(np.int32)
    label_map[B // 2 :] = np.minimum(label_map[B // 2 :], 1)  # the parts have other classes
    image = rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32)
    noise = [rng.normal(size=(B, Z)).astype(np.float32) for _ in range(2)]
    return [tf.constant(x) for x in (image, label_map, *noise, rng.random((B, N)) < 0.5)]


def state(step):
    return [v.numpy() for m in (step.generator, step.discriminator) for v in m.variables]


def assert_same(actual, expected):
    assert len(actual) > 200
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * max(1, np.abs(b).max()))


def independent(step, inputs):
    """The same update in other words, without a graph; returns the losses."""
    parts = [[x[m * 2 : m * 2 + 2] for x in inputs] for m in range(MICRO)]
    vectors = [
        v
        for model in (step.generator, step.discriminator)
        for v in model.non_trainable_variables
        if v.name == "u"
    ]

    def cross_entropy(logits, classes, weights):
        nll = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
        return tf.reduce_mean(nll * weights)

    def weights_of(label_map):
        counted = inputs[1] if step.class_balance == "batch" else label_map
        return tf.gather(class_weights(counted, N), label_map)

    def generator_loss(image, label_map, noise, _, mask_bits):
        fake = step.generator(label_map, noise, training=True)
        logits = step.discriminator(fake, training=True)
        # And no perceptual loss.
        return cross_entropy(logits, label_map + 1, weights_of(label_map)), tf.constant(0.0)

    def discriminator_loss(image, label_map, _, noise, mask_bits):
        fake = step.generator(label_map, noise, training=True)
        mask = labelmix_mask(label_map, mask_bits)
        batch = tf.concat([fake, image, mix(mask, image, fake)], 0)
        on_fake, on_real, on_mixed = tf.split(step.discriminator(batch, training=True), 3)
        fake_loss = cross_entropy(on_fake, tf.zeros_like(label_map), 1.0)
        real_loss = cross_entropy(on_real, label_map + 1, weights_of(label_map))
        consistency = tf.reduce_mean((on_mixed - mix(mask, on_real, on_fake)) ** 2)
        total = fake_loss + real_loss + LAMBDA * consistency
        return total, fake_loss, real_loss, consistency

    losses = []
    for loss, model in (
        (generator_loss, step.generator),
        (discriminator_loss, step.discriminator),
    ):
        start = [u.numpy() for u in vectors]
        gradients, values = [], []
        for part in parts:
            for u, value in zip(vectors, start, strict=True):
                u.assign(value)
            with tf.GradientTape() as tape:
                terms = loss(*part)
            gradients.append(tape.gradient(terms[0], [v.value for v in model.trainable_variables]))
            values.append(terms)
        for variable, *of_parts in zip(model.trainable_variables, *gradients, strict=True):
            variable.assign(variable - RATE * sum(of_parts) / MICRO)
        losses += list(np.mean(values, axis=0))
    return losses


@pytest.mark.parametrize(
    "class_balance", ["replica", pytest.param("batch", marks=pytest.mark.slow)]
)
def test_the_mean_of_two_independent_gradients(class_balance):
    inputs = make_inputs()
    expected_step, step = (make_step(class_balance=class_balance) for _ in range(2))
    before = state(step)
    expected = independent(expected_step, inputs)
    accumulated = AccumulatedStep(step, MICRO)
    # One of the two as a graph, the other one as Python does it.
    run = tf.function(accumulated, autograph=False) if class_balance == "batch" else accumulated
    metrics = run(*inputs)
    assert set(metrics) == set(METRICS)
    actual = [float(metrics[n]) for n in METRICS if n.startswith("loss/")]
    np.testing.assert_allclose(actual, expected, rtol=1e-4)
    assert_same(state(step), state(expected_step))
    assert max(np.abs(a - b).max() for a, b in zip(before, state(step), strict=True)) > 1e-2
    # The sums start again from zero.
    assert all(not x.numpy().any() for x in accumulated._generator_sums._gradients)


@pytest.mark.slow
def test_two_replicas_with_two_micro_batches_each(mirrored):
    inputs = make_inputs()
    # A micro-batch of both replicas together: pictures 0 and 2, then 1 and 3.
    together = [tf.gather(x, [0, 2, 1, 3]) for x in inputs]
    one = make_step(class_balance="batch")
    expected = AccumulatedStep(one, MICRO)(*together)
    with mirrored.scope():
        step = make_step(class_balance="batch")
        accumulated = AccumulatedStep(step, MICRO)

    def rows(context):
        start = context.replica_id_in_sync_group * B // 2
        return tuple(x[start : start + B // 2] for x in inputs)

    run = tf.function(accumulated, autograph=False)
    metrics = run(*mirrored.experimental_distribute_values_from_function(rows))
    for name in METRICS:
        if name.startswith("loss/"):
            mean = float(mirrored.reduce("mean", metrics[name], axis=None))
            np.testing.assert_allclose(mean, float(expected[name]), rtol=1e-4, err_msg=name)
    assert_same(state(step), state(one))


@pytest.mark.slow
def test_float16_scales_the_loss_and_skips_what_overflows():
    step = make_step("mixed_float16")
    accumulated = AccumulatedStep(step, MICRO)
    optimizer = step.generator_optimizer
    optimizer.dynamic_scale.assign(1e38)
    before = [v.numpy() for v in step.generator.trainable_variables]
    metrics = accumulated(*make_inputs())
    for old, variable in zip(before, step.generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
    assert float(metrics["gradient_norm/generator"]) == 0
    assert int(optimizer.inner_optimizer.iterations.numpy()) == 0
    # What overflowed is not left in the sums.
    optimizer.dynamic_scale.assign(1024.0)
    norm = float(accumulated(*make_inputs())["gradient_norm/generator"])
    assert np.isfinite(norm) and norm > 0
    assert int(optimizer.inner_optimizer.iterations.numpy()) == 1
