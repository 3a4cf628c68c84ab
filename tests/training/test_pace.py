"""The estimate of a run's time: once, from steps after the first."""

import itertools

from oasis_tf.training.pace import Pace


def told(seconds, *, first=0, start=0, total=10_000, steps=40):
    """What is told, and after which steps, of a run whose steps take `seconds`."""
    lines, now = [], [0.0]
    pace = Pace(start, total, lambda line: lines.append((step, line)), clock=lambda: now[0])
    for step in itertools.count(start):
        pace(step)
        if step == start + steps:
            return lines
        now[0] += first + seconds if step == start else seconds


def test_a_run_of_hours():
    # Five steps after the first: 9,994 steps of 2 s are 5.55 hours.
    ((step, line),) = told(2)
    assert step == 6
    assert line.startswith("about 6 hours at this speed;")


def test_the_first_step_does_not_count():
    assert told(0.7, first=100_000) == []


def test_slow_steps_are_told_of_early():
    # 9,998 steps of 200 s are 555.4 hours.
    ((step, line),) = told(200)
    assert step == 2
    assert line.startswith("about 555 hours")


def test_a_resumed_run_has_less_left():
    assert told(2, start=9_000) == []
    ((step, line),) = told(20, start=9_000)
    # One step takes 20 s, two 40 s; 997 steps of 20 s are 5.54 hours.
    assert step == 9_003 and line.startswith("about 6 hours")


def test_called_twice_at_a_step():
    lines = []
    pace = Pace(0, 10**6, lines.append, clock=itertools.count(0, 100).__next__)
    for step in (0, 0, 1, 1, 2, 2, 3):
        pace(step)
    assert len(lines) == 1
