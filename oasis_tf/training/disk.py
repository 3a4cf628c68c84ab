"""Whether an error of TensorFlow means that the disk is full, read-only or broken."""

import errno
import os

from oasis_tf.config import ConfigError

# TensorFlow hands on the system's own words, and no number.
_WORDS = tuple(
    os.strerror(number)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
)


def is_disk_error(error):
    """Whether the error's words are those of a disk that is full, read-only or broken."""
    return any(words in str(error) for words in _WORDS)


def explain_disk_error(model_dir, error):
    """Turns an error while a run writes into what to do about it.

    Args:
        model_dir: directory of the run.
        error: `OSError` or `tf.errors.OpError`.

    Returns:
        ConfigError that says so in one line, if the disk is to blame, else `error` itself.
    """
    words = next((words for words in _WORDS if words in str(error)), None)
    if words is None:
        return error
    return ConfigError(
        f"--model_dir {model_dir} must be on a disk that can be written. Received: {words}; the "
        "checkpoints that were finished stay, and the same command goes on from the newest"
    )
