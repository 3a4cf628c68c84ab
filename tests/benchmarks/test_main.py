"""The command line: what it says about bad input, and what it leaves behind."""

import json
import subprocess
import sys
import types

import pytest

from benchmarks import __main__ as command
from benchmarks.machine import ROOT
from benchmarks.parts import PARTS
from benchmarks.rows import row


@pytest.fixture
def part(monkeypatch):
    """A part that does what `part.run` says, in the place of a real one."""
    module = types.ModuleType("benchmarks.parts.generator", "Part: a test.\n\nMore.")
    module.run = lambda options: [row("step", 2.5, "x faster", {})]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_parts_are_found():
    assert {"generator", "discriminator", "train_step", "memory", "input_pipeline"} < set(PARTS)


def test_a_part(part, tmp_path, capsys):
    out = tmp_path / "new" / "results"
    assert command.main(["generator", "--quick", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("\nPart: a test\n")
    assert "step         2.5 x faster" in printed.out
    assert printed.err == f"written to {out}/generator.json\n"
    content = json.loads((out / "generator.json").read_text())
    assert content["rows"][0]["figure"] == 2.5
    assert content["settings"] == {"data_dir": "sample set", "repeats": 5, "quick": True}


def test_another_version(part, tmp_path, monkeypatch, capsys):
    part.against = lambda options: [row(f"beside {options.against.name}", 2.5, "x faster", {})]
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    assert command.main(["generator", "--against", str(ROOT)]) == 0
    assert f"beside {ROOT.name}" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()
    assert command.main(["generator", "--against", str(tmp_path)]) == 2
    assert "--against must be a checkout of this project" in capsys.readouterr().err
    assert command.main(["startup", "--against", str(ROOT)]) == 2
    assert "--against must be given with discriminator, generator" in capsys.readouterr().err


def test_toy_figures_are_not_written_unasked(part, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    assert command.main(["generator", "--quick"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert command.main(["generator"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["generator.json"]


def test_a_part_that_fails(part, tmp_path, capsys):
    def run(options):
        raise RuntimeError("out of luck")

    part.run = run
    assert command.main(["generator", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: generator failed: out of luck\n"
    assert list(tmp_path.iterdir()) == []


def test_out_of_memory(part, tmp_path, capsys):
    import tensorflow as tf

    def run(options):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\n more")

    part.run = run
    assert command.main(["generator", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "error: generator failed: OOM when allocating\n"


def test_all_parts(monkeypatch, tmp_path, capsys):
    calls = []

    def call(arguments):
        calls.append(arguments)
        return int(arguments[3] == "memory")

    monkeypatch.setattr(subprocess, "call", call)
    assert command.main(["--repeats", "7", "--out", str(tmp_path)]) == 1
    expected = [[part, "--repeats", "7", "--out", str(tmp_path)] for part in PARTS]
    assert [arguments[3:] for arguments in calls] == expected
    assert capsys.readouterr().err == "error: failed: memory\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--repeats", "0"], "--repeats: must be a positive whole number. Received: 0"),
        (["--repeats", "1.5"], "must be a positive whole number. Received: 1.5"),
        (["genrator"], "invalid choice: 'genrator'"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        command.main(arguments)
    assert exit.value.code == 2
    assert message in capsys.readouterr().err


def test_no_records(tmp_path, capsys):
    assert command.main(["--data_dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: no complete data set in {tmp_path}")


def test_damaged_records(records, tmp_path, part, capsys):
    import shutil

    from benchmarks import labels

    shutil.copytree(records, tmp_path / "records")
    (shard, *_) = (tmp_path / "records").glob("train*")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 255
    shard.write_bytes(content)
    part.run = lambda options: labels.recorded(options.records, 6)
    arguments = ["generator", "--data_dir", str(tmp_path / "records"), "--out", str(tmp_path)]
    assert command.main(arguments) == 2
    assert f"damaged {shard.name}" in capsys.readouterr().err


def test_a_place_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert command.main(["generator", "--out", str(tmp_path / "file" / "results")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_ctrl_c(part, tmp_path, capsys):
    def run(options):
        raise KeyboardInterrupt

    part.run = run
    assert command.main(["generator", "--out", str(tmp_path)]) == 130
    assert "Traceback" not in capsys.readouterr().err
