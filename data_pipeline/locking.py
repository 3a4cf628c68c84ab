"""A directory that one process at a time may write in."""

import contextlib
import fcntl
import os
from pathlib import Path

from data_pipeline.files import UNSUPPORTED

LOCK = ".lock"


@contextlib.contextmanager
def locked(directory):
    """Holds a directory for this process, until the `with` block or the process ends.

    The lock is the system's, on a file `.lock`; one that a killed process left holds nobody up.

    Args:
        directory: Path of an existing directory.

    Yields:
        None, or a line to tell the user where the file system has no locks, and two processes
        could meet.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the directory cannot be written.
    """
    directory = Path(directory)
    try:
        lock, note = _lock(directory / LOCK), None
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        # Where there are no locks the file means nothing.
        (directory / LOCK).unlink(missing_ok=True)
        lock = None
        note = (
            f"the file system of {directory} has no locks ({error.strerror}): see to it that no "
            "other process writes there"
        )
    try:
        yield note
    finally:
        if lock is not None:
            with contextlib.suppress(OSError):
                os.unlink(directory / LOCK)
            os.close(lock)


def _lock(path):
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed the file between our two calls.
            if path.exists() and os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
