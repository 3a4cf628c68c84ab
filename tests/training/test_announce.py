"""A word on what takes long, and none on what does not."""

import threading

import pytest

from oasis_tf.training.announce import announced


def test_what_takes_long():
    lines, said = [], threading.Event()

    def tell(line):
        lines.append(line)
        said.set()

    with announced("validating", tell, seconds=0.01):
        assert said.wait(timeout=10)
    assert lines == ["validating ..."]


def test_what_does_not():
    lines = []
    with announced("saving", lines.append, seconds=60):
        pass
    assert lines == []
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


def test_what_fails():
    with pytest.raises(OSError, match="full"), announced("saving", print, seconds=60):
        raise OSError("disk is full")
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())
