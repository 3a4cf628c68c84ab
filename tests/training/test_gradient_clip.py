"""Clipping against its rule in NumPy, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.training.gradient_clip import GradientClip

# Usual ones, an explosion of several steps, no labelled pixel, not finite, a lasting rise.
NORMS = [2.0, 3.0, 5e6, 7e4, 300.0, 2.0, 0.0, 1.5, np.inf, np.nan, 1.0] + [40.0] * 30


def rule(norms):
    """(running norm, multiple of it, norm let through) after each step, in float64."""
    running, rows = 0.0, []
    for norm in norms:
        usual = running if running > 0 else norm
        through = min(norm, 10 * usual)
        if 0 < norm < np.inf:
            running = 0.98 * usual + 0.02 * through
        rows.append((running, norm / usual if usual else 0.0, through))
    return np.array(rows)


def gradients_of(norm, rng):
    """Two tensors with that global norm together."""
    parts = [rng.normal(size=shape) for shape in ((2, 3), (4,))]
    length = np.sqrt(sum((p**2).sum() for p in parts))
    return [tf.constant(p / length * norm, tf.float32) for p in parts]


@pytest.mark.parametrize("clips", [True, False])
def test_follows_the_rule(clips, rng):
    clip = GradientClip(clips)
    run = tf.function(lambda g, n: clip(g, n), autograph=False)
    for norm, (running, multiple, through) in zip(NORMS, rule(NORMS), strict=True):
        given = gradients_of(norm, rng)
        clipped, excess = run(given, tf.constant(norm, tf.float32))
        np.testing.assert_allclose(clip.running_norm.numpy(), running, rtol=1e-5)
        np.testing.assert_allclose(excess, multiple, rtol=1e-5)
        if not np.isfinite(norm):
            continue
        factor = through / norm if clips and norm else 1.0
        for a, b in zip(clipped, given, strict=True):
            np.testing.assert_allclose(a, factor * b.numpy(), rtol=1e-5)


def test_a_lasting_change_is_followed():
    # 13 times the usual, for good: soon nothing is clipped any more.
    rows = rule(NORMS)
    assert rows[11, 2] < 40 and (rows[16:, 2] == 40).all()


def test_zeros_at_the_start_are_no_measure():
    clip = GradientClip()
    for _ in range(3):
        (gradient,), excess = clip([tf.zeros(2)], tf.constant(0.0))
        assert not gradient.numpy().any() and float(excess) == 0
    (gradient,), excess = clip([tf.constant([3.0, 4.0])], tf.constant(5.0))
    assert gradient.numpy().tolist() == [3.0, 4.0] and float(excess) == 1


def test_the_running_norm_is_part_of_a_checkpoint(tmp_path):
    first, second = GradientClip(), GradientClip()
    first([tf.constant([2.0])], tf.constant(2.0))
    path = tf.train.Checkpoint(clip=first).save(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(clip=second).restore(path).assert_consumed()
    assert float(second.running_norm.numpy()) == 2
