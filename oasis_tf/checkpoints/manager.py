"""The checkpoints of a run: who writes them, and which one it goes on from."""

import re
import shutil
from pathlib import Path

import tensorflow as tf

from data_pipeline.files import write_atomically
from oasis_tf.console import say


class RunCheckpoints(tf.train.CheckpointManager):
    """Saves checkpoints that are named by their step, and restores the newest that is whole.

    TensorFlow's manager believes its file `checkpoint`, which a crash may have cut short; the
    names of the checkpoints say the same.

    Args:
        checkpoint: `tf.train.Checkpoint`.
        directory: str.
        writes: whether this process saves at all; all of them restore. Saving needs no other
            worker, for no variable of a run is a sum over replicas.
        keep: how many of the newest stay.
    """

    def __init__(self, checkpoint, directory, *, keep, writes=True):
        if writes:
            _tidy(Path(directory))
        super().__init__(checkpoint, str(directory), max_to_keep=keep, checkpoint_name="step")
        self._writes = writes

    def save(self, step):
        """Saves the checkpoint of a step, unless it is there already; returns its path or None."""
        if not self._writes:
            return None
        path = f"{self._directory}/step-{step}"
        if path == self.latest_checkpoint and Path(f"{path}.index").exists():
            return path
        return super().save(checkpoint_number=step)

    def restore_or_initialize(self):
        """Restores the newest checkpoint; passes over damaged ones, and says so on stderr.

        Returns:
            its path, or None where there are no checkpoints.

        Raises:
            Exception: of TensorFlow, on the newest one, if none can be restored.
        """
        newest, newest_error = self._latest_checkpoint, None
        for path in reversed(self.checkpoints):
            self._latest_checkpoint = path
            try:
                return super().restore_or_initialize()
            # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
            except Exception as error:
                newest_error = newest_error or error
                # Without the name of TensorFlow's operation before it.
                reason = re.sub(r"^\{\{.*?\}\} ", "", str(error).splitlines()[0])
                say(f"warning: {path} is damaged and passed over ({reason})")
        self._latest_checkpoint = newest
        if newest_error is not None:
            raise newest_error
        return None


def _tidy(directory):
    """Removes what was never finished, and writes the file `checkpoint` from what is there."""
    for unfinished in directory.glob("*_temp"):
        shutil.rmtree(unfinished)
    found = {}
    for index in directory.glob("*-*.index"):
        if match := re.fullmatch(r".+-(\d+)", index.stem):
            found[int(match[1])] = index
    if not found:
        return
    steps = sorted(found)
    lines = [f'model_checkpoint_path: "{found[steps[-1]].stem}"']
    lines += [f'all_model_checkpoint_paths: "{found[step].stem}"' for step in steps]
    # Without its time a checkpoint would be kept for ever.
    times = [found[step].stat().st_mtime for step in steps]
    lines += [f"all_model_checkpoint_timestamps: {time!r}" for time in times]
    write_atomically(directory / "checkpoint", "\n".join(lines) + "\n")
