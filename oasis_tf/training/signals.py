"""Turns SIGTERM and Ctrl-C into a stop between two steps."""

import contextlib
import signal


class Stopped(Exception):
    """Training was asked to stop by a signal, whose number is `signum`."""

    def __init__(self, signum):
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class StopRequest:
    """Remembers a signal until the steps under way are done.

    Attributes:
        signum: number of the signal that has come, 0 before.
    """

    def __init__(self):
        self.signum = 0

    @contextlib.contextmanager
    def listening(self):
        """Catches SIGTERM and SIGINT inside the `with` block; a second one acts at once."""
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {s: signal.getsignal(s) for s in signals}

        def remember(signum, _):
            self.signum = signum
            signal.signal(signum, before[signum])

        for s in signals:
            signal.signal(s, remember)
        try:
            yield self
        finally:
            for s in signals:
                signal.signal(s, before[s])
