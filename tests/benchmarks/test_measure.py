"""Sides take turns; a process by itself that dies is told of."""

import signal
from concurrent.futures.process import BrokenProcessPool

import pytest

from benchmarks.measure import in_a_process, interleave


def test_turns(capsys):
    calls = []
    sides = {("a", "x"): lambda: calls.append("a"), ("b",): lambda: calls.append("b")}
    seconds = interleave(sides, 3)
    # Once before the clock counts, then in turns.
    assert calls == ["a", "b"] * 4
    assert {name: len(values) for name, values in seconds.items()} == {("a", "x"): 3, ("b",): 3}
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("first call  a, x  0.0")
    assert lines[-1].startswith("round 3/3  b  0.0")


def test_a_process_that_is_killed():
    assert in_a_process(divmod, 7, 2) == (3, 1)
    with pytest.raises(BrokenProcessPool):
        in_a_process(signal.raise_signal, signal.SIGKILL)
    assert issubclass(BrokenProcessPool, RuntimeError)
