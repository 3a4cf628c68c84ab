"""A word on what takes long, where nothing else would be printed for a while."""

import contextlib
import threading

SECONDS = 3.0


@contextlib.contextmanager
def announced(what, tell, seconds=SECONDS):
    """Tells what is being done if it is not done by then.

    Args:
        what: such as "validating".
        tell: function of a line; called in a thread of its own, once or never.
        seconds: when.
    """
    timer = threading.Timer(seconds, tell, [f"{what} ..."])
    timer.daemon = True  # no reason for the process to stay
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # what it says comes before what is said next
