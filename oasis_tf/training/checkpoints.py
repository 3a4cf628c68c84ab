"""When checkpoints are written."""

import tensorflow as tf


class PeriodicCheckpointManager(tf.train.CheckpointManager):
    """Saves at the multiples of the interval.

    TensorFlow's manager counts the interval from the first save of the process; a resumed run
    has to save at the same steps as an uninterrupted one.
    """

    def save(self, checkpoint_number=None, check_interval=True, options=None):
        """Saves, unless `check_interval` and the step is no multiple; returns the path or None."""
        step = int(self._step_counter.numpy())
        if check_interval and step % self.checkpoint_interval:
            return None
        return super().save(checkpoint_number, check_interval=False, options=options)
