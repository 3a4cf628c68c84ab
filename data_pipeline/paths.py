"""Arguments of commands and of the library that are paths: one meaning for all of them."""

import argparse
import os
import re
from pathlib import Path

from data_pipeline.errors import DataError

# Two letters at least: `C:/data` is a drive. A name such as `a:b` has no slash.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local_path(text, argument):
    """Turns what a user wrote into a path of this machine.

    Args:
        text: str or Path. A `~` that no shell has expanded is; one of no user of this machine
            stays, as in a shell.
        argument: name of the argument, for the message.

    Returns:
        Path.

    Raises:
        DataError: it is empty, or the address of a storage such as `gs://bucket/run`, which would
            become a directory `gs:` here.

    >>> local_path("runs/a:b", "--model_dir").as_posix()
    'runs/a:b'
    """
    text = os.fspath(text)
    if not text:
        raise DataError(f"{argument} must be a path. Received: nothing")
    if _ADDRESS.match(text):
        raise DataError(
            f"{argument} must be a path of this machine, not an address: mount the storage, or "
            f"copy to and from it. Received: {text}"
        )
    return Path(os.path.expanduser(text))


class PathAction(argparse.Action):
    """Of arguments that are paths: `add("--out", action=PathAction)` gives a Path.

    What is no path of this machine ends the command with one line and exit code 2.
    """

    def __call__(self, parser, namespace, values, option_string=None):
        """Stores the path; called by argparse."""
        try:
            setattr(namespace, self.dest, local_path(values, option_string or self.metavar))
        except DataError as error:
            parser.exit(2, f"error: {error}\n")
