"""How long a run will take, told once after its first steps."""

import time

from oasis_tf.training.advice import long_run

# Whichever comes first: at full width on a CPU a step takes minutes.
_STEPS, _SECONDS = 5, 30


class Pace:
    """Watches the first steps of a session, and tells of a run of hours.

    The very first step does not count, for the graph is built in it.

    Args:
        step: steps done so far.
        total: steps of the whole run.
        tell: function of a line, called once or never.
        clock: function giving seconds. Defaults to `time.monotonic`.
    """

    def __init__(self, step, total, tell, clock=time.monotonic):
        self._step = step
        self._total = total
        self._tell = tell
        self._clock = clock
        self._begin = None
        self._over = False

    def __call__(self, step):
        """To be called between steps, `step` being how many are done."""
        if self._over or step == self._step:
            return
        if self._begin is None:
            self._begin = (step, self._clock())
            return
        done, seconds = step - self._begin[0], self._clock() - self._begin[1]
        if done and (done >= _STEPS or seconds >= _SECONDS):
            self._over = True
            if line := long_run((self._total - step) * seconds / done):
                self._tell(line)
