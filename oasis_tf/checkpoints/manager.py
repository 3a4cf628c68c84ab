"""The checkpoints of a run: who writes them, and which one it goes on from."""

import re
import shutil
import time
from pathlib import Path

import tensorflow as tf

from data_pipeline.errors import DataError, first_line
from data_pipeline.files import write_atomically
from oasis_tf.checkpoints.found import checkpoints_in
from oasis_tf.console import say


class RunCheckpoints(tf.train.CheckpointManager):
    """Saves checkpoints that are named by their step, and restores the newest that is whole.

    Args:
        checkpoint: `tf.train.Checkpoint`.
        directory: str.
        writes: whether this process saves at all; all of them restore. Saving needs no other
            worker, for no variable of a run is a sum over replicas.
        keep: how many of the newest stay.

    Attributes:
        newest: path of the last one that was restored or saved here; before, of the last one that
            is there, or None.
    """

    def __init__(self, checkpoint, directory, *, keep, writes=True):
        if writes:
            _tidy(Path(directory))
        super().__init__(checkpoint, str(directory), max_to_keep=keep, checkpoint_name="step")
        self._writes = writes
        self.newest = next(reversed(checkpoints_in(directory)), None)
        # Whether it has been read or written whole here.
        self._sound = False

    def save(self, step):
        """Saves the checkpoint of a step, unless it is there already; returns its path or None."""
        if not self._writes:
            return None
        if Path(self.newest or "").name != f"step-{step}" or not self._sound:
            self.newest = super().save(checkpoint_number=step)
            self._sound = True
        return self.newest

    def restore_newest(self):
        """Restores the newest checkpoint; passes over damaged ones, and says so on stderr.

        Returns:
            its path, or None where there are no checkpoints.

        Raises:
            DataError: there are, but of names that do not tell their steps.
            Exception: of TensorFlow, on the newest one, if none can be restored.
        """
        newest_error = None
        for path in reversed(checkpoints_in(self.directory)):
            try:
                # Earlier versions kept a first moment of Adam, which TensorFlow would warn of.
                self.checkpoint.restore(path).expect_partial().assert_nontrivial_match()
                self.newest, self._sound = path, True
                return path
            # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
            except Exception as error:
                newest_error = newest_error or error
                # Without the name of TensorFlow's operation before it.
                reason = re.sub(r"^\{\{.*?\}\} ", "", first_line(error))
                say(f"warning: {path} is damaged and passed over ({reason})")
        if newest_error is not None:
            raise newest_error
        if others := sorted(path.name for path in Path(self.directory).glob("*.index")):
            raise DataError(
                f"{self.directory} must hold checkpoints that are named by their step, as step-400 "
                f"is. Received: {', '.join(others)}"
            )
        return None


def _tidy(directory):
    """Removes what was never finished, and writes the file `checkpoint` from what is there."""
    for unfinished in directory.glob("*_temp"):
        shutil.rmtree(unfinished)
    found = checkpoints_in(directory)
    if not found:
        return
    names = [Path(path).name for path in found]
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    # Without a time a checkpoint would be kept for ever. The files' own say nothing: an archive or
    # a mount may have set them to 0, which TensorFlow takes for "before all others" and drops.
    lines += [f"all_model_checkpoint_timestamps: {time.time()!r}" for _ in names]
    write_atomically(directory / "checkpoint", "\n".join(lines) + "\n")
