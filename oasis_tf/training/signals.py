"""SIGTERM, SIGUSR1 and Ctrl-C, heard at once and obeyed between two steps."""

import contextlib
import os
import signal
import threading

from oasis_tf.console import say

# SIGUSR1 is what batch systems send some time before they end a job.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Stopped(Exception):
    """Training was asked to stop by a signal, whose number is `signum`."""

    def __init__(self, signum):
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class StopRequest:
    """Remembers the first signal until the step under way is done; the second acts at once.

    A thread listens, for Python's own handlers wait until TensorFlow returns, which may take
    minutes while a graph is built and for ever while another machine does not answer.

    Attributes:
        signum: number of the signal that has come, 0 before.
        unsaved: whether steps were made that no checkpoint holds. Until then a signal ends the
            process at once, with exit code 128 + its number.
        kept: path of the newest checkpoint, or None.
    """

    def __init__(self):
        self.signum = 0
        self.unsaved = False
        self.kept = None

    @contextlib.contextmanager
    def listening(self):
        """Hears signals inside the `with` block; in the main thread only, for others get none."""
        if threading.current_thread() is not threading.main_thread():
            say("note: not in the main thread: SIGTERM and Ctrl-C do not save before they end it")
            yield self
            return
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        before = {s: signal.signal(s, lambda *_: None) for s in SIGNALS}
        old_writer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        thread = threading.Thread(target=self._listen, args=(reader,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            signal.set_wakeup_fd(old_writer)
            for s, handler in before.items():
                signal.signal(s, handler)
            os.close(writer)
            thread.join()
            os.close(reader)

    def _listen(self, reader):
        # Python writes the number of each signal as a byte; the end is the closed pipe.
        while byte := os.read(reader, 1):
            if byte[0] in SIGNALS:
                self._hear(byte[0])

    def _hear(self, signum):
        name = signal.Signals(signum).name
        if not self.unsaved:
            say(f"{name}: stopped; no step was made that is not in a checkpoint")
            os._exit(128 + signum)
        if self.signum:
            lost = (
                f"the steps since {self.kept}" if self.kept else "a checkpoint: there is none yet"
            )
            say(f"{name} again: stopped at once, without {lost}")
            os._exit(128 + signum)
        self.signum = signum
        say(f"{name}: stopping after this step, then saving; again to stop without")


def hear_again():
    """Puts Python's handlers back, where something else has taken a signal for itself.

    TensorFlow does so with SIGTERM when it meets the other workers, and only tells them of it.
    """
    if threading.current_thread() is threading.main_thread():
        for signum in SIGNALS:
            signal.signal(signum, signal.getsignal(signum))
