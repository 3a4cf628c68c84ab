"""The averaged generator against its formula, and its re-estimated statistics."""

import keras
import numpy as np
import tensorflow as tf

from oasis_tf.models.generator import Generator
from oasis_tf.training.ema import StatisticsEstimator, update_ema, warmed_up
from oasis_tf.training.randomness import Purpose, step_noise


def make_generator():
    return Generator(3, base_channels=1, noise_channels=2, hidden=4, gain=1.0)


def test_weights_are_averaged_and_statistics_copied():
    average, current = make_generator(), make_generator()
    before = [v.numpy() for v in average.trainable_variables]
    update_ema(average, current, 0.75, tf.distribute.get_strategy())
    for old, mean, new in zip(
        before, average.trainable_variables, current.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(mean.numpy(), 0.75 * old + 0.25 * new.numpy(), atol=1e-6)
    for mean, new in zip(
        average.non_trainable_variables, current.non_trainable_variables, strict=True
    ):
        np.testing.assert_array_equal(mean.numpy(), new.numpy())


def test_a_warmed_up_average_holds_what_was_learnt_last():
    """After 300 steps less than a millionth of the average is what it was before training."""
    left = {decay: 1.0 for decay in (0.0, 0.9999)}
    for step in range(300):
        for decay in left:
            left[decay] *= float(warmed_up(decay, tf.constant(step, tf.int64)))
    assert left[0.9999] < 1e-6 and left[0.0] == 0
    # Without it: 0.9999^300 = 0.97.
    assert float(warmed_up(0.9999, 10**7)) == np.float32(0.9999)


def test_reestimation_forgets_the_statistics_it_found(rng):
    generator = make_generator()
    label_maps = [rng.integers(0, 3, (4, 32, 64)).astype(np.int32) for _ in range(2)]
    means = [v for v in generator.non_trainable_variables if v.path.endswith("running_mean")]
    assert len(means) == 16
    weights = [v.numpy() for v in generator.trainable_variables]
    estimate = StatisticsEstimator(generator, seed=0)
    results = []
    for wrong in (0.0, 100.0):
        for mean in means:
            mean.assign(tf.fill(mean.shape, wrong))
        estimate(label_maps * 25)
        results.append([m.numpy() for m in means])
    for old, new in zip(weights, generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(new.numpy(), old)
    for a, b in zip(*results, strict=True):
        # After 50 batches 0.9**50 of what was there is left.
        np.testing.assert_allclose(b - a, 100 * 0.9**50, atol=0.02)


def test_micro_batches_and_replicas(rng, mirrored, eager):
    """The statistics of each half batch in turn, however many devices share it."""
    label_maps = [rng.integers(0, 3, (4, 32, 64)).astype(np.int32) for _ in range(2)]
    states, sizes = [], []
    for strategy in (None, tf.distribute.get_strategy(), mirrored):
        keras.utils.set_random_seed(0)
        with (strategy or tf.distribute.get_strategy()).scope():
            generator = make_generator()
        if strategy is None:
            for i, label_map in enumerate(label_maps):
                noise = step_noise((4, 2), 7, i, Purpose.STATISTICS)
                for rows in (slice(0, 2), slice(2, 4)):
                    generator(label_map[rows], noise[rows], training=True)
        else:
            generate = generator.generate

            def record(patch_index, noise, generate=generate, **options):
                sizes.append(noise.shape[0])
                return generate(patch_index, noise, **options)

            generator.generate = record
            estimate = StatisticsEstimator(generator, seed=7, micro_batches=2, strategy=strategy)
            estimate(label_maps)
        states.append([v.numpy() for v in generator.non_trainable_variables])
    # Two passes for a batch on one device; on two, two passes on each.
    assert sizes == [2] * 2 * 2 + [1] * 4 * 2
    for state in states[1:]:
        for actual, expected in zip(state, states[0], strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
