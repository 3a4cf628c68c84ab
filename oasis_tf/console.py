"""What a command says to a person."""

import os
import sys


def say(text, end="\n"):
    """Prints a line on stderr: how a command is getting on, and what went wrong."""
    _print(text, end, "stderr")


def report(text):
    """Prints a line on stdout: what a command was asked for."""
    _print(text, "\n", "stdout")


def _print(text, end, stream):
    """Prints; where nobody can read it (any more), does nothing.

    A closed pipe, a terminal that is gone or a full disk under a log is no reason to lose the
    steps of a training: from the first such error on, what is printed there goes nowhere, also
    what Python flushes at the end of the process.
    """
    try:
        print(text, end=end, file=getattr(sys, stream), flush=True)
    # A closed file is a ValueError to Python.
    except (OSError, ValueError):
        setattr(sys, stream, open(os.devnull, "w"))  # noqa: SIM115  open until the process ends
