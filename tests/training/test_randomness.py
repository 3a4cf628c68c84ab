"""Draws are functions of seed, step and purpose."""

import numpy as np
import tensorflow as tf

from oasis_tf.training.randomness import Purpose, step_mask_bits, step_noise


def test_same_arguments_same_draw_and_any_other_differs():
    base = step_noise((4, 8), 1, 2, Purpose.GENERATOR_NOISE).numpy()
    np.testing.assert_array_equal(base, step_noise((4, 8), 1, 2, Purpose.GENERATOR_NOISE))
    for seed, step, purpose in (
        (2, 2, Purpose.GENERATOR_NOISE),
        (1, 3, Purpose.GENERATOR_NOISE),
        (1, 2, Purpose.DISCRIMINATOR_NOISE),
    ):
        assert not np.allclose(base, step_noise((4, 8), seed, step, purpose))


def test_no_stream_runs_into_another():
    draws = [
        step_noise((1, 4), 0, step, purpose).numpy().tobytes()
        for step in range(20)
        for purpose in Purpose
    ]
    assert len(set(draws)) == len(draws)


def test_graph_equals_eager():
    graph = tf.function(lambda step: step_noise((3, 5), 7, step, Purpose.VALIDATION))
    expected = step_noise((3, 5), 7, 11, Purpose.VALIDATION)
    np.testing.assert_array_equal(graph(tf.constant(11, tf.int64)), expected)


def test_coins_are_fair_and_differ_between_images_and_classes():
    mask_bits = step_mask_bits((200, 300), 0, 0).numpy()
    # 60,000 mask_bits: four standard deviations are 0.8%.
    assert abs(mask_bits.mean() - 0.5) < 0.008
    assert 0.3 < mask_bits.mean(0).min() and mask_bits.mean(0).max() < 0.7
    assert 0.3 < mask_bits.mean(1).min() and mask_bits.mean(1).max() < 0.7
