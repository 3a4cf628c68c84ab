"""Sides take turns; a process by itself is told of when it dies, and dies with its parent."""

import os
import signal
import subprocess
import sys
import time
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


def tell_and_sleep(path):
    path.write_text(str(os.getpid()))
    time.sleep(600)  # longer than the test waits


def test_a_process_whose_parent_is_killed(tmp_path):
    script = "import sys, pathlib, benchmarks.measure as m, tests.benchmarks.test_measure as t\n"
    script += "m.in_a_process(t.tell_and_sleep, pathlib.Path(sys.argv[1]))"
    told = tmp_path / "pid"

    def wait_until(condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with subprocess.Popen([sys.executable, "-c", script, str(told)]) as parent:
        wait_until(lambda: told.exists() and told.read_text())
        parent.kill()
    child = f"/proc/{told.read_text()}"
    wait_until(lambda: not os.path.exists(child))
