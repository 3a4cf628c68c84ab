"""When checkpoints are written, and by whom."""

import tensorflow as tf

from oasis_tf.training.checkpoints import PeriodicCheckpointManager


def manager(tmp_path, step, **options):
    checkpoint = tf.train.Checkpoint(step=step)
    return PeriodicCheckpointManager(
        checkpoint, str(tmp_path), max_to_keep=3, checkpoint_name="step", **options
    )


def test_at_multiples_whatever_was_saved_before(tmp_path):
    step = tf.Variable(0, dtype=tf.int64)
    saved = []
    for number in range(1, 8):
        step.assign(number)
        # A new one each time, as after a restart.
        fresh = manager(tmp_path, step, step_counter=step, checkpoint_interval=3)
        if fresh.save(number):
            saved.append(number)
    assert saved == [3, 6]
    assert fresh.save(number, check_interval=False).endswith("step-7")


def test_one_without_an_interval_saves_when_told(tmp_path):
    assert manager(tmp_path, tf.Variable(5)).save(checkpoint_number=5).endswith("step-5")


def test_a_worker_that_does_not_write_restores(tmp_path):
    manager(tmp_path, tf.Variable(5)).save(checkpoint_number=5)
    before = sorted(p.name for p in tmp_path.iterdir())
    step = tf.Variable(0)
    reader = manager(tmp_path, step, writes=False)
    assert reader.restore_or_initialize().endswith("step-5")
    assert int(step.numpy()) == 5
    assert reader.save(checkpoint_number=6) is None
    assert reader.save(checkpoint_number=6, check_interval=False) is None
    assert sorted(p.name for p in tmp_path.iterdir()) == before
