"""The best checkpoint of a run, and by which number it was chosen."""

import numpy as np
import tensorflow as tf

from oasis_tf.checkpoints.manager import RunCheckpoints
from oasis_tf.console import say
from oasis_tf.training.chosen_by import ChosenBy


class BestCheckpoint:
    """Keeps the checkpoint whose score is the best, with the score in it.

    The file itself says how good it is, so it is never replaced by a worse one, whatever becomes
    of the other checkpoints.

    Args:
        state: `TrainingState`.
        directory: Path.
        name: of the score that chooses.
        network: SHA-256 of the segmenter whose number that is, or None.
        higher_is_better: of that score.
        writes: whether this process saves.

    Attributes:
        name: as given.
        note: a line to tell the user, or None.
    """

    def __init__(self, state, directory, *, name, network=None, higher_is_better=True, writes=True):
        self.name = name
        self._sign = 1 if higher_is_better else -1
        # The larger the better: of a number whose lower values are better it is the negative.
        self._best = tf.Variable(-np.inf, trainable=False, name="best_score")
        chosen_by = ChosenBy()
        self._checkpoints = RunCheckpoints(
            state.checkpoint(best_score=self._best, chosen_by=chosen_by),
            directory,
            keep=1,
            writes=writes,
        )
        if self.path is not None:
            saved = tf.train.Checkpoint(best_score=self._best, chosen_by=chosen_by)
            try:
                saved.restore(self.path).expect_partial()
            # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
            except Exception:
                say(f"warning: {self.path} is damaged; the next score chooses another one")
        before = chosen_by.name
        self.note = None
        if chosen_by.change(name, network):
            now = name if before != name else "that of another segmenter"
            self.note = f"the best checkpoint was chosen by {before} and is now by {now}"
            self._best.assign(-np.inf)

    def offer(self, score, step):
        """Saves the state as the best one if its score is better than the best so far."""
        if self._sign * score > float(self._best.numpy()):
            self._best.assign(self._sign * score)
            self._checkpoints.save(step)

    @property
    def path(self):
        """Path of the best checkpoint, or None."""
        return self._checkpoints.newest

    @property
    def score(self):
        """Its score; None where there is none, or where another one than `name` chose it."""
        score = self._sign * float(self._best.numpy())
        return score if np.isfinite(score) else None
