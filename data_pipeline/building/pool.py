"""A function mapped over many items by several processes, results in order."""

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from data_pipeline.errors import BuildFailed

_CHUNK = 8  # items a task: few enough for a smooth progress bar, enough to hide the transport
_AHEAD = 4  # tasks a worker may be ahead of the writer, which bounds the memory


def ordered_map(function, items, workers):
    """Yields `function(item)` for each item, in order.

    Args:
        function: picklable.
        items: iterable of picklable items.
        workers: number of processes; 1 computes in this one.

    Raises:
        BuildFailed: a process died.
    """
    if workers == 1:
        yield from map(function, items)
        return
    # "spawn", because TensorFlow in the parent makes a forked child unsafe.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_initialize)
    try:
        items, pending = iter(items), deque()
        while chunk := list(itertools.islice(items, _CHUNK)):
            pending.append(pool.submit(_apply, function, chunk))
            if len(pending) == workers * _AHEAD:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
    except BrokenProcessPool:
        raise BuildFailed(
            "a worker process died (was it killed, or out of memory?). The finished shards are "
            "kept: run the same command again, perhaps with fewer --workers. "
            f"Received: --workers {workers}"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _apply(function, chunk):
    return [function(item) for item in chunk]


def _initialize():
    # Ctrl-C reaches the whole process group; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent():
    """A worker of a killed build would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
