"""Precision and options of a step; its numbers are held to the released code in tests/parity."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.adam import FusedAdam
from oasis_tf.training.gradient_clip import GradientClip
from oasis_tf.training.step import UPDATE_METRICS, AdversarialStep, apply_gradients

N, Z, B, H, W = 3, 4, 2, 64, 128
STEPS = 8


def make_step(precision="float32", *, learning_rate=4e-3, scaled=False, **options):
    keras.utils.set_random_seed(0)
    generator = Generator(N, base_channels=1, noise_channels=Z, hidden=8, gain=1.0, dtype=precision)
    discriminator = Discriminator(N, base_channels=1, gain=1.0, dtype=precision)
    optimizers = []
    for model in (generator, discriminator):
        optimizer = FusedAdam(learning_rate)
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**10)
        optimizer.build(model.trainable_variables)
        optimizers.append(optimizer)
    return AdversarialStep(generator, discriminator, *optimizers, labelmix_weight=10.0, **options)


def make_batch(rng):
    # Stripes of labels in pictures of those labels' grey: something to learn.
    label_map = np.repeat(rng.integers(0, N, (B, H, 1)), W, axis=2).astype(np.int32)
    image = np.repeat((label_map - 1)[..., None], 3, axis=-1).astype(np.float32) * 0.8
    mask_bits = rng.random((B, N)) < 0.5
    noise = [rng.normal(size=(B, Z)).astype(np.float32) for _ in range(2)]
    return [tf.constant(x) for x in (image, label_map, *noise, mask_bits)]


def course(step, batch, steps):
    """Losses of each step: dict from names to (steps,) arrays."""
    run = tf.function(step, autograph=False)
    results = [run(*batch) for _ in range(steps)]
    return {name: np.array([float(r[name]) for r in results]) for name in results[0]}


@pytest.fixture(scope="module")
def float32_course():
    return course(make_step(), make_batch(np.random.default_rng(5)), STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("precision, scaled", [("mixed_bfloat16", False), ("mixed_float16", True)])
def test_low_precision_takes_the_same_course(float32_course, precision, scaled):
    batch = make_batch(np.random.default_rng(5))
    step = make_step(precision, scaled=scaled)
    actual = course(step, batch, STEPS)
    for name in ("loss/generator", "loss/discriminator"):
        expected = float32_course[name]
        # It learns, so two lines with a slope are compared, and within a part of the slope.
        slope = expected[0] - expected[-1]
        assert slope > 0.05, name
        np.testing.assert_allclose(actual[name], expected, atol=0.2 * slope, err_msg=name)
    for model in (step.generator, step.discriminator):
        assert {v.dtype for v in model.variables} == {"float32"}
    assert step.generator(batch[1], batch[2]).dtype == tf.float32
    assert step.discriminator.features(batch[0]).dtype == step.generator.compute_dtype


def test_other_label_maps_do_not_build_another_graph(rng):
    step = make_step()
    image, label_map, *others = make_batch(rng)
    run = tf.function(step, autograph=False)
    # From few distinct patches to as many as pixels.
    for labels in (tf.zeros_like(label_map), label_map, rng.integers(0, N, (B, H, W))):
        run(image, tf.cast(labels, tf.int32), *others)
    assert run.experimental_get_tracing_count() == 1


def test_an_overflow_skips_the_update_and_lowers_the_scale(rng):
    step = make_step("mixed_float16", scaled=True)
    batch = make_batch(rng)
    optimizer = step.generator_optimizer
    optimizer.dynamic_scale.assign(1e38)
    before = [v.numpy() for v in step.generator.trainable_variables]
    metrics = step(*batch)
    for old, variable in zip(before, step.generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)
    assert float(optimizer.dynamic_scale.numpy()) == np.float32(1e38) / 2
    assert int(optimizer.inner_optimizer.iterations.numpy()) == 0
    assert float(metrics["gradient_norm/generator"]) == 0
    assert float(metrics["skipped/generator"]) == 1
    assert float(metrics["skipped/discriminator"]) == 0
    assert np.isfinite(float(metrics["loss/generator"]))
    # The discriminator's own scale was fine.
    assert int(step.discriminator_optimizer.inner_optimizer.iterations.numpy()) == 1
    optimizer.dynamic_scale.assign(1024.0)
    assert float(step(*batch)["gradient_norm/generator"]) > 0
    assert int(optimizer.inner_optimizer.iterations.numpy()) == 1


@pytest.fixture(scope="module")
def summed(mirrored):
    """One variable (1, 2) on two replicas, in float16's way: update(gradients) -> metrics.

    `gradients` (2,): what each replica adds to the gradient of either element, unscaled.
    """
    with mirrored.scope():
        variable = keras.Variable([1.0, 2.0])
        optimizer = keras.optimizers.LossScaleOptimizer(FusedAdam(0.1), initial_scale=8.0)
        optimizer.build([variable])
        clip = GradientClip()
    model = types.SimpleNamespace(trainable_variables=[variable])

    @tf.function(autograph=False)
    def update(gradients):
        def replica():
            index = tf.distribute.get_replica_context().replica_id_in_sync_group
            gradient = optimizer.scale_loss(tf.gather(gradients, index)) * tf.ones(2)
            return apply_gradients([gradient], model, optimizer, clip)

        return mirrored.run(replica)

    def on_both(*gradients):
        metrics = update(tf.constant(gradients, tf.float32))
        first, second = zip(*map(mirrored.experimental_local_results, metrics), strict=True)
        assert [float(x) for x in first] == [float(x) for x in second]
        return dict(zip(UPDATE_METRICS, map(float, first), strict=True))

    return types.SimpleNamespace(variable=variable, optimizer=optimizer, clip=clip, update=on_both)


def test_an_overflow_on_one_replica_skips_the_update_on_both(summed):
    for number, bad in enumerate([(np.inf, 1.0), (1.0, np.nan)], start=1):
        metrics = summed.update(*bad)
        assert metrics == {"gradient_norm": 0, "gradient_excess": 0, "skipped": 1}
        assert summed.variable.numpy().tolist() == [1.0, 2.0]
        assert float(summed.optimizer.dynamic_scale.numpy()) == 8.0 / 2**number
        assert float(summed.clip.running_norm.numpy()) == 0
    metrics = summed.update(1.0, 2.0)
    # The sum is (3, 3) whatever the scale; there is no norm before it to exceed.
    assert metrics == pytest.approx(
        {"gradient_norm": 3 * np.sqrt(2), "gradient_excess": 1, "skipped": 0}, rel=1e-6
    )
    assert (summed.variable.numpy() < [1.0, 2.0]).all()


def test_replicas_clip_by_the_norm_of_their_sum(summed):
    """Gradients of 500 and -499 are no explosion: their sum is 1."""
    summed.clip.running_norm.assign(1.0)
    metrics = summed.update(500.0, -499.0)
    assert metrics["gradient_norm"] == pytest.approx(np.sqrt(2), rel=1e-5)
    running = 0.98 + 0.02 * np.sqrt(2)
    assert float(summed.clip.running_norm.numpy()) == pytest.approx(running, rel=1e-5)
    # And one of 300 and 300 is let through as ten times the running norm.
    before = summed.optimizer.inner_optimizer._velocities[0].numpy()
    metrics = summed.update(300.0, 300.0)
    assert metrics["gradient_excess"] == pytest.approx(600 * np.sqrt(2) / running, rel=1e-5)
    let_through = 10 * running / np.sqrt(2)
    velocity = 0.999 * before + 0.001 * let_through**2
    np.testing.assert_allclose(
        summed.optimizer.inner_optimizer._velocities[0].numpy(), velocity, rtol=1e-4
    )


def test_loss_scale_and_slots_are_checkpointed(tmp_path):
    variable = keras.Variable([1.0])

    def make():
        optimizer = keras.optimizers.LossScaleOptimizer(FusedAdam(0.1), initial_scale=8.0)
        optimizer.build([variable])
        return optimizer

    first = make()
    first.apply([tf.constant([float("nan")])], [variable])
    first.apply([tf.constant([3.0])], [variable])
    path = tf.train.Checkpoint(optimizer=first).save(str(tmp_path / "checkpoint"))
    second = make()
    tf.train.Checkpoint(optimizer=second).restore(path).assert_consumed()
    assert len(first.inner_optimizer.variables) == 3  # steps, learning rate, second moment
    for a, b in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


@pytest.mark.parametrize("share_pictures", [False, True])
def test_whose_pictures_the_discriminator_sees(rng, share_pictures, monkeypatch):
    step = make_step(share_pictures=share_pictures)
    image, label_map, first, second, mask_bits = make_batch(rng)
    seen = []
    features = AdversarialStep.features
    monkeypatch.setattr(
        step, "features", lambda fake, *others: seen.append(fake) or features(step, fake, *others)
    )
    patch_index, noise = step.generator.index(label_map, first)
    state = [v.numpy() for v in step.generator.variables]
    expected = step.generator.generate(patch_index, noise, training=True).numpy()
    for variable, value in zip(step.generator.variables, state, strict=True):
        variable.assign(value)
    step(image, label_map, first, second, mask_bits)
    same = np.abs(seen[0].numpy() - expected).max() < 1e-5
    assert same == share_pictures
