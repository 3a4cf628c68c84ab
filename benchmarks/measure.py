"""Time: sides in turns, medians by whoever reads the lists. Memory: a process by itself."""

import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process


def interleave(sides, repeats):
    """Times functions in turns, A B C A B C ..., so that a slow minute falls on all of them.

    Each is called once before, which builds its graph. Prints a line per call on stderr.

    Args:
        sides: dict from tuples of str that name a side to functions without arguments, which
            return when their result is on the host.
        repeats: timed rounds, at least 1.

    Returns:
        dict from the names to lists of `repeats` seconds.
    """
    seconds = {name: [] for name in sides}
    for number in range(repeats + 1):
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            took = time.perf_counter() - start
            label = f"round {number}/{repeats}" if number else "first call"
            say(f"{label}  {', '.join(name)}  {took:.3f} s")
            if number:
                seconds[name].append(took)
    return seconds


def in_a_process(function, *arguments):
    """Calls a function in a new interpreter and hands back what it returns.

    All that it held is free afterwards. Not forked: that process would begin with the memory of
    this one.

    Raises:
        concurrent.futures.process.BrokenProcessPool: it was killed, for example because memory
            ran out. A RuntimeError.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=end_with_parent) as pool:
        return pool.submit(function, *arguments).result()


def end_with_parent():
    """Keeps this process from going on, with its gigabytes, when the one that waits is killed."""

    def wait():
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def say(line):
    """Progress, for whoever waits."""
    print(line, file=sys.stderr, flush=True)
