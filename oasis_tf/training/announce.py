"""A word on what takes long, where nothing else would be printed for a while."""

import contextlib
import threading

SECONDS = 3.0


@contextlib.contextmanager
def announced(what, tell, seconds=SECONDS):
    """Tells what is being done, if that takes longer than `seconds`.

    Args:
        what: such as "validating".
        tell: function of a line; called in a thread of its own, once or never.
        seconds: float, how long to wait before telling. Defaults to 3.
    """
    timer = threading.Timer(seconds, tell, [f"{what} ..."])
    timer.daemon = True  # the process may end while it waits
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # its line, if any, is out before the next one
