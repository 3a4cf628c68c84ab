"""This checkout and another one in turns: what a change brought."""

import contextlib
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.machine import ROOT, commit
from benchmarks.measure import end_with_parent, interleave
from benchmarks.rows import FASTER, ratio

__all__ = ["checkouts", "process_of", "timed"]

_PACKAGES = ("oasis_tf", "data_pipeline")


def checkouts(options):
    """{name for the tables: Path of the checkout}: the other one, and this."""
    there = options.against
    return {f"there, {(commit(there) or 'unknown')[:7]}": there, "here": ROOT}


@contextlib.contextmanager
def process_of(checkout):
    """An executor of one new process, in which `oasis_tf` and `data_pipeline` are a checkout's.

    `benchmarks` is that of this checkout in any case, so that both are measured in one way.
    """
    with (
        tempfile.TemporaryDirectory() as links,
        ProcessPoolExecutor(1, get_context("spawn"), initializer=end_with_parent) as pool,
    ):
        for name in _PACKAGES:
            Path(links, name).symlink_to(Path(checkout, name).resolve())
        # A new interpreter looks for modules where this one does at that moment.
        sys.path.insert(0, links)
        try:
            pool.submit(int).result()
        finally:
            sys.path.remove(links)
        yield pool


def timed(what, options, make, *arguments):
    """The row of a comparison of two versions, each in a process of its own, in turns.

    Args:
        what: for the first column.
        options: `Options`, with `against`.
        make: function of a module of `benchmarks`, called in both processes; returns a function
            without arguments, which is timed.
        arguments: of `make`; they are pickled.
    """
    with contextlib.ExitStack() as stack:
        sides = {}
        for name, checkout in checkouts(options).items():
            pool = stack.enter_context(process_of(checkout))
            pool.submit(_make, make, arguments).result()
            sides[what, name] = lambda pool=pool: pool.submit(_call).result()
        seconds = interleave(sides, options.repeats)
    return ratio(what, seconds, {name: (what, name) for _, name in sides}, FASTER)


def _make(make, arguments):
    global _side
    _side = make(*arguments)


def _call():
    _side()  # what it returns need not travel
