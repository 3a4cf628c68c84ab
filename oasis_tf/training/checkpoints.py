"""When checkpoints are written."""

import tensorflow as tf


class PeriodicCheckpointManager(tf.train.CheckpointManager):
    """Saves at the multiples of the interval, on one worker.

    TensorFlow's manager counts the interval from the first save of the process; a resumed run
    has to save at the same steps as an uninterrupted one.

    Args:
        *args, **options: of `tf.train.CheckpointManager`.
        writes: whether this process saves at all; all of them restore. Saving needs no other
            worker, for no variable of a run is a sum over replicas.
    """

    def __init__(self, *args, writes=True, **options):
        super().__init__(*args, **options)
        self._writes = writes

    def save(self, checkpoint_number=None, check_interval=True, options=None):
        """Saves, unless `check_interval` and the step is no multiple; returns the path or None."""
        if not self._writes:
            return None
        interval = self.checkpoint_interval
        if check_interval and interval and int(self._step_counter.numpy()) % interval:
            return None
        return super().save(checkpoint_number, check_interval=False, options=options)
