"""The memory's part: its rows, its tasks, and that a process is measured by itself."""

import numpy as np
import pytest

from benchmarks.measure import in_a_process
from benchmarks.parts import memory


def test_rows(options, monkeypatch):
    peaks = {("plain", 9): 2.0, ("ours", 9): 1.0, ("plain", 33): 4.0, ("ours", 33): 1.5}
    peaks |= {(memory.AGAIN, 9): 0.75, (memory.AGAIN, 33): 0.9}

    def in_a_process(measure, task, side, num_classes, options):
        return 0.5, 0.25 if task is memory.one_channel else peaks[side, num_classes]

    monkeypatch.setattr(memory, "in_a_process", in_a_process)
    rows = memory.run(options)
    found = [(row["what"], row["figure"], row["target"], row["met"]) for row in rows]
    assert found == [
        ("training step, 9 classes", 0.5, None, None),
        ("training step, 33 classes", 0.375, "<= 0.45", True),
        ("training step, 33 classes beside 9, ours", 1.5, "<= 1.15", False),
        ("training step, 9 classes, --rematerialize", 0.75, None, None),
        ("training step, 33 classes, --rematerialize", pytest.approx(0.6), None, None),
        ("training step on one picture, 9 classes", 0.5, None, None),
        ("training step on one picture, 9 classes, --rematerialize", 0.75, None, None),
        ("training step on one picture, 9 classes, networks one channel wide", 0.25, None, None),
        ("generator on random labels, 9 classes", 0.5, None, None),
        ("generator on random labels, 33 classes", 0.375, None, None),
    ]
    assert rows[0]["sides"] == {"ours": [1.0, "GB"], "plain": [2.0, "GB"]}
    assert rows[0]["gb_before"] == {"ours": 0.5, "plain": 0.5}


def hold_200_megabytes(side, num_classes, options):
    return lambda: len(b"x" * 200_000_000)


@pytest.mark.slow
def test_a_process_by_itself(options):
    ballast = np.ones(1_000_000_000, np.uint8)  # must not count in the other process
    arguments = hold_200_megabytes, "ours", 9, options
    before, peak = in_a_process(memory._measure, *arguments)
    assert ballast[-1] == 1
    assert 0.15 < peak - before < 0.3
    assert peak < 0.8


# The other two are the same as in test_train_step.py.
@pytest.mark.slow
def test_training_step(options, eager, monkeypatch):
    monkeypatch.setattr(memory, "STEPS", 1)
    assert "loss/generator" in memory.training_step(memory.AGAIN, 9, options)()
    assert "loss/generator" in memory.one_channel(memory.OURS, 9, options)()


@pytest.mark.parametrize("side", ["plain", "ours"])
def test_random_labels(options, eager, side):
    pictures = memory.random_labels(side, 9, options)()
    assert [picture.shape for picture in pictures] == [(1, 64, 128, 3)] * 2
