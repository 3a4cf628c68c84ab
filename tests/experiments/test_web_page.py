"""The table, of a browser made by hand; tests/serving/page/test_local_backend.py has a real one."""

import contextlib
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from experiments import web_page


@contextlib.contextmanager
def no_browser():
    process = SimpleNamespace(pid=os.getpid())
    yield SimpleNamespace(service=SimpleNamespace(process=process))


def test_the_table(tmp_path, monkeypatch, capsys):
    def measure(chrome, url):
        return {"engine": "WebAssembly", "ready": 1.25, "times": [3.0, 0.75, 0.5, 0.625]}

    monkeypatch.setattr(web_page, "_measure", measure)
    monkeypatch.setattr(web_page, "chromium", no_browser)
    monkeypatch.setattr(web_page, "_peak_gigabytes", lambda pid: 0.25)
    assert web_page.main(["--page", str(tmp_path)]) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    assert rows == ["| WebAssembly | 1.2 s | 3.00 s | 0.50 s | 0.2 GB |"] * 2


def test_the_memory_is_that_of_a_descendant():
    # A child that has a child, which holds 50 MB.
    inner = "import sys; x = b'1' * 50_000_000; print(flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert 0.05 < web_page._peak_gigabytes(process.pid) < 0.15
        process.stdin.close()


def test_a_page_is_needed(capsys):
    with pytest.raises(SystemExit):
        web_page.main([])
    assert "--page" in capsys.readouterr().err
