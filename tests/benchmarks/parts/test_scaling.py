"""The scaling part: its arithmetic, its rows, and a real step of each kind."""

import pytest

from benchmarks.parts import scaling
from benchmarks.parts.scaling import Machines


def test_a_ring():
    # Four GPUs, 8 MB: six turns of 2 MB at 1 GB/s, and six times 10 us for each of 3 messages.
    seconds = scaling.ring_seconds(8, 3, Machines(4, "", 1.0, 10.0))
    assert seconds == pytest.approx(6 * 2e-3 + 3 * 6 * 10e-6)


def test_what_is_exchanged(options):
    megabytes, messages = scaling._exchanged(9, options)
    # 16 SPADEs: two in each of six blocks, and one more in the four whose shortcut has one.
    assert messages == 2 + 6 * 16
    assert 0.1 < megabytes < 10


def test_rows(options, monkeypatch):
    times = {scaling.ONE: [1.0], scaling.DEVICES: [1.5], scaling.PROCESSES: [3.0]}

    def in_a_process(function, *arguments):
        if function is scaling._steps:
            _, name, *_ = arguments
            return times[name]
        return function(*arguments)

    monkeypatch.setattr(scaling, "in_a_process", in_a_process)
    measured, computed = (rows := scaling.run(options))[:2], rows[2:]
    assert [(row["what"], row["figure"]) for row in measured] == [
        ("toy step, two devices", 1.5),
        ("toy step, two processes", 3.0),
    ]
    assert len(computed) == len(scaling.MACHINES) * len(scaling.GPU_RATES)
    for row in computed:
        assert row["what"].startswith("computed: ")
        exchange, arithmetic = (value for value, _ in row["sides"].values())
        assert row["figure"] == pytest.approx(1 + exchange / arithmetic)


@pytest.mark.slow
@pytest.mark.parametrize("name", [scaling.ONE, scaling.DEVICES, scaling.PROCESSES])
def test_a_step(options, name):
    (seconds,) = scaling._measure(name, options.records, options.widths, options)
    assert seconds > 0
