"""The baseline computes what ours computes: values, gradients, a whole training step."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import ours, plain
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.randomness import Purpose, step_mask_bits, step_noise

N, Z, B, H, W = 5, 4, 2, 64, 128
WIDTHS = dict(base_channels=1, noise_channels=Z, hidden=8)


@pytest.fixture
def batch(rng):
    label_map = np.repeat(np.repeat(rng.integers(0, N, (B, H // 8, W // 8)), 8, 1), 8, 2)
    image = np.clip(rng.normal(0, 0.5, (B, H, W, 3)), -1, 1)
    return {"image": tf.constant(image, tf.float32), "label_map": tf.constant(label_map, tf.int32)}


def fill(model, rng):
    """Random values everywhere, and true singular vectors, which a power iteration keeps."""
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) / np.sqrt(np.prod(variable.shape[:-1])))
    for layer in model._flatten_layers():
        if hasattr(layer, "u"):
            matrix = layer.kernel.numpy().reshape(-1, layer.kernel.shape[-1])
            left, _, right = np.linalg.svd(matrix, full_matrices=False)
            layer.v.assign(left[:, 0])
            layer.u.assign(right[0])
        if hasattr(layer, "running_mean"):
            layer.running_mean.assign(rng.normal(size=layer.running_mean.shape))
            layer.running_variance.assign(rng.uniform(0.5, 2, layer.running_variance.shape))


def generators(rng):
    mine = Generator(N, gain=1.0, **WIDTHS)
    fill(mine, rng)
    base = plain.Generator(N, **WIDTHS)
    plain.copy_weights(mine, base)
    return mine, base


def discriminators(rng):
    mine = Discriminator(N, base_channels=1, gain=1.0)
    fill(mine, rng)
    base = plain.Discriminator(N, base_channels=1)
    plain.copy_weights(mine, base)
    return mine, base


def output_and_gradients(model, inputs):
    """The output in training, and the gradients of a loss that weighs each number differently."""
    variables = [v.value for v in model.trainable_variables]
    with tf.GradientTape() as tape:
        output = model(*inputs, training=True)
        weights = tf.reshape(tf.linspace(0.0, 1.0, tf.size(output)), output.shape)
        loss = tf.reduce_mean(weights * tf.square(output - 1))
    return output, tape.gradient(loss, variables)


def assert_same_gradients(actual, mine, expected, base):
    """`actual` and `expected` belong to the variables of networks with other orders of them.

    The baseline is given our gradients as weights, by the function that is tested.
    """
    for variables, gradients in ((mine, actual), (base, expected)):
        for variable, gradient in zip(variables.trainable_variables, gradients, strict=True):
            variable.assign(tf.convert_to_tensor(gradient))
    expected = [v.numpy() for v in base.trainable_variables]
    plain.copy_weights(mine, base)
    for variable, gradient in zip(base.trainable_variables, expected, strict=True):
        error = np.linalg.norm(variable.numpy() - gradient)
        # Rounding turns a leaky ReLU here and there, of few at the coarse end; a bias in front of
        # batch norm has the gradient 0 and only rounding in it.
        assert error <= 1e-2 * np.linalg.norm(gradient) + 1e-6, variable.path


def test_generator(rng, batch):
    mine, base = generators(rng)
    inputs = batch["label_map"], tf.constant(rng.normal(size=(B, Z)), tf.float32)
    np.testing.assert_allclose(base(*inputs), mine(*inputs), atol=1e-4)
    actual, actual_gradients = output_and_gradients(mine, inputs)
    expected, expected_gradients = output_and_gradients(base, inputs)
    np.testing.assert_allclose(actual, expected, atol=1e-4)
    assert np.std(actual) > 0.1
    np.testing.assert_allclose(
        mine.blocks[5].norm_1.norm.running_mean,
        base.blocks[5].norm_1.norm.moving_mean,
        atol=1e-5,
    )
    assert_same_gradients(actual_gradients, mine, expected_gradients, base)


def test_discriminator(rng, batch):
    mine, base = discriminators(rng)
    inputs = (batch["image"],)
    np.testing.assert_allclose(base(*inputs), mine(*inputs), atol=1e-4)
    actual, actual_gradients = output_and_gradients(mine, inputs)
    expected, expected_gradients = output_and_gradients(base, inputs)
    np.testing.assert_allclose(actual, expected, atol=1e-4)
    assert_same_gradients(actual_gradients, mine, expected_gradients, base)


@pytest.mark.slow
def test_training_step(rng, batch, eager):
    trainer = ours.trainer(N, [batch], WIDTHS)
    step = trainer._step
    base = plain.Training(N, **WIDTHS)
    fill(step.generator, rng)
    fill(step.discriminator, rng)
    plain.copy_weights(step.generator, base.generator)
    plain.copy_weights(step.discriminator, base.discriminator)
    # The second step begins with what the first one made of the weights.
    for number in range(2):
        mine = trainer.train(1)
        noise = [
            step_noise((B, Z), 0, number, purpose)
            for purpose in (Purpose.GENERATOR_NOISE, Purpose.DISCRIMINATOR_NOISE)
        ]
        mask_bits = step_mask_bits((B, N), 0, number)
        loss = base.update_generator(batch["label_map"], noise[0])
        np.testing.assert_allclose(loss, mine["loss/generator"], rtol=1e-3)
        loss = base.update_discriminator(batch["image"], batch["label_map"], noise[1], mask_bits)
        np.testing.assert_allclose(loss, mine["loss/discriminator"], rtol=1e-3)
    check_average(base)


def check_average(training):
    training.ema_decay = 0.75
    for average, variable in zip(
        training.ema_generator.variables, training.generator.variables, strict=True
    ):
        average.assign(tf.fill(average.shape, 1.0))
        variable.assign(tf.fill(variable.shape, 5.0))
    training.update_average()
    for variable in training.ema_generator.variables:
        # 0.75 * 1 + 0.25 * 5 = 2 for weights; statistics and singular vectors are copied.
        np.testing.assert_allclose(variable.numpy(), 2.0 if variable.trainable else 5.0)


def test_losses_without_a_labelled_pixel():
    logits = tf.random.stateless_normal((1, 2, 3, N + 1), (0, 0))
    assert plain.real_loss(logits, tf.zeros((1, 2, 3), tf.int32)) == 0
