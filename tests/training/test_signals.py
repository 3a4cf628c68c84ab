"""What a signal does, in processes of their own, for it ends them."""

import ctypes
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oasis_tf.training.signals import StopRequest, hear_again

ROOT = Path(__file__).parents[2]
LISTEN = """
import sys, time
from oasis_tf.training.signals import StopRequest, hear_again
stop = StopRequest()
{set_up}
with stop.listening():
    print("ready", flush=True)
    for _ in range(600):
        time.sleep(0.05)
        if stop.signum and {leaves}:
            sys.exit(7)
"""


def told(signals, set_up, leaves=True):
    """(exit code, lines on stderr) of a process that gets signals one after the other."""
    code = LISTEN.format(set_up=set_up, leaves=leaves)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        lines = []
        for number in signals:
            process.send_signal(number)
            lines.append(process.stderr.readline().rstrip())
        return process.wait(timeout=30), lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_nothing_to_save_ends_at_once(number):
    code, lines = told([number], "pass")
    assert code == 128 + number
    assert lines == [f"{number.name}: stopped; no step was made that is not in a checkpoint"]


def test_steps_to_save_are_waited_for():
    code, lines = told([signal.SIGTERM], "stop.unsaved = True")
    assert code == 7
    assert lines == ["SIGTERM: stopping after this step, then saving; again to stop without"]


@pytest.mark.parametrize(
    "kept, lost",
    [
        ("None", "a checkpoint: there is none yet"),
        ("'run/checkpoints/step-4'", "the steps since run/checkpoints/step-4"),
    ],
)
def test_the_second_one_says_what_is_kept(kept, lost):
    set_up = f"stop.unsaved, stop.kept = True, {kept}"
    code, lines = told([signal.SIGINT] * 2, set_up, leaves=False)
    assert code == 130
    assert lines[1] == f"SIGINT again: stopped at once, without {lost}"


def test_in_another_thread_a_note_and_no_handlers(capsys):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    seen = []

    def train():
        with StopRequest().listening() as stop:
            seen.append([signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)])
            assert stop.signum == 0

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [before]
    assert capsys.readouterr().err.startswith("note: not in the main thread: ")


def test_heard_again_after_a_library_has_taken_the_signal():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        set_c_handler = ctypes.pythonapi.PyOS_setsig
        set_c_handler.argtypes, set_c_handler.restype = (ctypes.c_int, ctypes.c_void_p), None
        set_c_handler(signal.SIGTERM, int(signal.SIG_IGN))
        signal.raise_signal(signal.SIGTERM)
        assert not heard
        hear_again()
        signal.raise_signal(signal.SIGTERM)
        assert heard == [True]
    finally:
        signal.signal(signal.SIGTERM, before)
