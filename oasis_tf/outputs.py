"""Whether what a command is to write can be written, asked before anything is computed."""

import errno
import os
import tempfile
from pathlib import Path

from data_pipeline.errors import DataError, listing


def check_directory(path, flag="--out"):
    """Raises unless files can be put into a directory, which need not be there yet.

    Args:
        path: Path.
        flag: of the command line, for the error.

    Raises:
        DataError: it is a file, or lies in one, or may not be written.
    """
    existing = Path(path).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise DataError(
            f"{flag} must be a writable directory. Received: {path} ({existing}: "
            f"{os.strerror(error.errno)})"
        ) from None


def make_directory(path, flag="--out"):
    """Makes a directory that `check_directory` has found possible.

    Raises:
        DataError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{flag} must be a writable directory. Received: {error}") from None


def check_files(*paths):
    """Raises unless all of these files can be written, each through a `.tmp` file beside it.

    Raises:
        DataError: a name is too long, is that of a directory, or its directory is missing or may
            not be written. All of them are listed.
    """
    wrong = [f"{path}: {reason}" for path in paths if (reason := _why_not(Path(path)))]
    if wrong:
        raise DataError(f"files must be writable. Received:\n{listing(wrong)}")


def _why_not(path):
    temporary = f"{path}.tmp"
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        if not path.absolute().parent.is_dir():
            return "it must be in a directory that exists"
        with open(temporary, "ab"):
            pass
        os.unlink(temporary)
    except OSError as error:
        return os.strerror(error.errno)
    return None
