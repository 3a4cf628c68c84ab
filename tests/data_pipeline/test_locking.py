"""One process at a time, also where the last one was killed, and where there are no locks."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from data_pipeline import files
from data_pipeline.locking import LOCK, locked


def test_a_second_holder_is_refused_until_the_first_is_done(tmp_path):
    with locked(tmp_path) as note:
        assert note is None
        with pytest.raises(BlockingIOError), locked(tmp_path):
            pass
        assert (tmp_path / LOCK).exists()
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_holds_nobody_up(tmp_path):
    code = (
        "import os, sys; from data_pipeline.locking import locked\n"
        "with locked(sys.argv[1]): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path) as note:
        assert note is None


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path) as note:
        assert "has no locks" in note and os.strerror(number) in note
    assert list(tmp_path.iterdir()) == []


def test_another_error_of_the_disk_is_one(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="broken"), locked(tmp_path):
        pass


def test_directories_that_cannot_be_synced(tmp_path, monkeypatch):
    fsync = os.fsync

    def of_files_only(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", of_files_only)
    files.write_atomically(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"

    def of_nothing(descriptor):
        raise OSError(errno.EINVAL, "Invalid argument")

    # Of a file it would mean that its content may be lost.
    monkeypatch.setattr(os, "fsync", of_nothing)
    with pytest.raises(OSError, match="Invalid argument"):
        files.write_atomically(tmp_path / "a", "other")
    assert (tmp_path / "a").read_text() == "text"
