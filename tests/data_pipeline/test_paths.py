"""What is a path of this machine, and that every command asks the one place."""

import argparse
import re
from pathlib import Path

import pytest

from data_pipeline.errors import DataError
from data_pipeline.paths import PathAction, local_path

ROOT = Path(__file__).parents[2]


def test_a_tilde_that_no_shell_has_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/some")
    assert local_path("~/runs/a", "--out") == Path("/home/some/runs/a")
    assert local_path(Path("~"), "--out") == Path("/home/some")
    # Where there is no such user, the shell leaves it too.
    assert local_path("~nobody-of-that-name/a", "--out") == Path("~nobody-of-that-name/a")
    assert local_path("a/~", "--out") == Path("a/~")


@pytest.mark.parametrize("name", ["a:b", "C:/data", "C:\\data", "runs/2024:1", "./gs:/x", "a:"])
def test_names_that_are_no_addresses(name):
    assert local_path(name, "--out") == Path(name)


@pytest.mark.parametrize(
    "address", ["gs://b/run", "s3://b", "hdfs://host:9000/x", "file:///data", "GS://b", "gs:/b"]
)
def test_addresses_are_refused(address):
    with pytest.raises(DataError, match=rf"--out must be a path.*Received: {address}$"):
        local_path(address, "--out")
    # What pathlib makes of one, in a call of the library.
    with pytest.raises(DataError, match="not an address"):
        local_path(Path(address) / "x", "--out")


def test_an_empty_variable():
    with pytest.raises(DataError, match="--out must be a path. Received: nothing"):
        local_path("", "--out")


def test_a_command_says_it_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("HOME", "/home/some")
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", action=PathAction)
    parser.add_argument("--other", action=PathAction, default=Path("x"))
    parsed = parser.parse_args(["--out=~/a"])
    assert (parsed.out, parsed.other) == (Path("/home/some/a"), Path("x"))
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--out", "gs://bucket/run"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --out must be a path of this machine")


def test_all_commands_ask_this_one_place():
    """A path that argparse makes itself would have neither."""
    rooms = ("oasis_tf", "data_pipeline", "benchmarks", "experiments")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 100
    assert [
        str(path) for path in files if re.search(r"type=(pathlib\.)?Path\b", path.read_text())
    ] == []
