"""What a step does without parts of the method: gradients beside a plain form of each."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.config import Config
from oasis_tf.training.state import TrainingState
from oasis_tf.training.step import METRICS

N, B, H, W = 3, 2, 64, 128
TINY = dict(
    image_size=(H, W),
    batch_size=B,
    generator_channels=1,
    discriminator_channels=1,
    spade_channels=4,
    noise_channels=2,
    init_gain=1.0,
)
REAL_FAKE = dict(
    discriminator="real_fake", labelmix_weight=0.0, class_balance="none", segmenter="a segmenter"
)


def make_state(**changes):
    return TrainingState(Config("folder", **{**TINY, **changes}), N)


def make_batch(rng):
    label_map = np.repeat(rng.integers(0, N, (B, H, 1)), W, axis=2).astype(np.int32)
    image = rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32)
    fake = rng.uniform(-1, 1, (B, H, W, 3)).astype(np.float32)
    return image, fake, label_map, rng.random((B, N)) < 0.5


def plain_gradients(model, loss):
    """As by `loss()`, with the singular vectors as they were before it."""
    vectors = [v.numpy() for v in model.non_trainable_variables]
    variables = [v.value for v in model.trainable_variables]
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    for variable, before in zip(model.non_trainable_variables, vectors, strict=True):
        variable.assign(before)
    return float(value), gradients


def assert_close(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3 * float(np.abs(b).max()) + 1e-7)


def test_no_balance_counts_every_labelled_pixel_the_same(rng):
    step = make_state(class_balance="none", labelmix_weight=0.0).step
    image, fake, label_map, mask_bits = make_batch(rng)
    label_map[:, :, :40] = 0
    calls = []
    features = step.discriminator.features
    step.discriminator.features = lambda x, **kw: calls.append(len(x)) or features(x, **kw)

    def loss():
        together = tf.concat([fake, image], axis=0)
        logits = step.discriminator.last(features(together, training=True))
        on_fake, on_real = tf.split(tf.nn.log_softmax(logits), 2)
        labelled = tf.boolean_mask(on_real, label_map > 0)
        classes = label_map[label_map > 0]
        real = -tf.reduce_mean(tf.gather(labelled, classes + 1, batch_dims=1))
        return real - tf.reduce_mean(on_fake[..., 0])

    expected, gradients = plain_gradients(step.discriminator, loss)
    weights = step.class_weights(label_map)
    actual, losses = step.discriminator_gradients(image, fake, label_map, weights, mask_bits)
    assert float(losses["loss/discriminator"]) == pytest.approx(expected, rel=1e-5)
    assert float(losses["loss/labelmix"]) == 0
    # Without LabelMix there is no third batch to look at.
    assert calls == [2 * B]
    assert_close(actual, gradients)
    assert float(tf.reduce_sum(step.class_weights(np.zeros((B, H, W), np.int32)))) == 0


def test_the_real_fake_discriminator_learns_by_the_hinge(rng):
    step = make_state(**REAL_FAKE).step
    image, fake, label_map, mask_bits = make_batch(rng)

    def answers(picture):
        return step.discriminator(picture, label_map, training=True)

    def loss():
        # One pass has one power iteration: the second one here starts where the first one did.
        vectors = [v.numpy() for v in step.discriminator.non_trainable_variables]
        on_fake = answers(fake)
        for variable, value in zip(
            step.discriminator.non_trainable_variables, vectors, strict=True
        ):
            variable.assign(value)
        on_real = answers(image)
        return tf.reduce_mean(tf.maximum(0.0, 1 + on_fake)) + tf.reduce_mean(
            tf.maximum(0.0, 1 - on_real)
        )

    expected, gradients = plain_gradients(step.discriminator, loss)
    actual, losses = step.discriminator_gradients(image, fake, label_map, None, mask_bits)
    assert float(losses["loss/discriminator"]) == pytest.approx(expected, rel=1e-5)
    assert float(losses["loss/labelmix"]) == 0
    assert_close(actual, gradients)
    assert float(tf.norm(actual[0])) > 0


@pytest.mark.parametrize(
    "changes",
    [
        REAL_FAKE,
        dict(noise_channels=0, labelmix_weight=0.0),
        dict(noise_layers="first", class_balance="none"),
    ],
    ids=["real_fake", "no_noise", "noise_first"],
)
def test_a_whole_step(rng, changes):
    state = make_state(**changes)
    image, _, label_map, mask_bits = make_batch(rng)
    channels = state.generator.noise_channels
    noises = [tf.constant(rng.normal(size=(B, channels)), tf.float32) for _ in range(2)]
    before = [v.numpy() for v in state.generator.trainable_variables]
    metrics = state.step(image, label_map, *noises, mask_bits)
    assert set(metrics) == set(METRICS)
    assert all(np.isfinite(float(value)) for value in metrics.values())
    moved = [
        np.abs(v.numpy() - old).max()
        for old, v in zip(before, state.generator.trainable_variables, strict=True)
    ]
    assert min(moved) > 0
    # Which layers see the noise: the kernels have rows for it, or not.
    widths = {block.norm_0.shared.kernel.shape[2] for block in state.generator.blocks}
    assert widths == {N + (0 if "noise" in str(changes) else 2)}


def test_the_perceptual_loss_is_added_to_the_generators(rng):
    state = make_state()
    image, _, label_map, _ = make_batch(rng)
    noise = tf.constant(rng.normal(size=(B, 2)), tf.float32)
    step = state.step
    step.perceptual_weight = 0.5
    results = []
    for perceptual in (None, lambda fake, real: tf.reduce_mean((fake - real) ** 2)):
        step.perceptual = perceptual
        vectors = [
            (v, v.numpy())
            for model in (state.generator, state.discriminator)
            for v in model.non_trainable_variables
        ]
        weights = step.class_weights(label_map)
        index, vector = step.generator.index(label_map, noise)
        results.append(step.generator_gradients(index, vector, label_map, weights, image=image))
        for variable, value in vectors:
            variable.assign(value)
    (fake, without, losses), (_, with_it, all_losses) = results
    unlike = float(np.mean((fake.numpy() - image) ** 2))
    assert float(losses["loss/perceptual"]) == 0
    assert float(all_losses["loss/perceptual"]) == pytest.approx(unlike, rel=1e-5)
    difference = float(all_losses["loss/generator"]) - float(losses["loss/generator"])
    assert difference == pytest.approx(0.5 * unlike, rel=1e-4)

    def loss():
        return 0.5 * tf.reduce_mean((step.generator(label_map, noise, training=True) - image) ** 2)

    _, expected = plain_gradients(state.generator, loss)
    assert_close([a - b for a, b in zip(with_it, without, strict=True)], expected)
