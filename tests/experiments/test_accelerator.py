"""What is measured on accelerators, on this CPU: every line, at toy sizes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.options import Options
from experiments.accelerator import __main__ as accelerator
from experiments.accelerator import export_step
from oasis_tf.execution import compiled

JAX = os.environ.get("JAX_PYTHON", sys.executable)


def test_cases_begin_with_what_says_most():
    cases = list(accelerator._cases(Options()))
    assert [case["form"] for case in cases[:3]] == ["patches", "patches by XLA", "patches"]
    assert {case["batch_size"] for case in cases} == {1, 4, 16, 32}
    assert {case["classes"] for case in cases} == {151, 1204}
    by_xla = [case["form"] == "patches by XLA" for case in cases]
    first = by_xla.index(False, 2)
    assert by_xla[first:] == sorted(by_xla[first:])
    assert all(case["precision"] == "float32" for case in cases if case["form"] == "dense")


def test_without_time_all_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(accelerator._Report, "_in_a_process", lambda *_: {"same_bits": True})
    monkeypatch.setattr(accelerator, "_training", lambda options: {"images_per_s": 1.0})
    out = tmp_path / "out.json"
    assert accelerator.main(["--out", str(out), "--quick", "--seconds", "0"]) == 0
    found = json.loads(out.read_text())
    assert found["device"]["cores"] >= 1 and found["devices"]["names"] == ["CPU"]
    assert {row["left_out"] for row in found["steps"]} == {"no time left"}
    assert len(found["steps"]) == 9


def test_a_case_that_fails_is_told():
    def fail():
        raise MemoryError("too large\nby far")

    assert accelerator._tried(fail) == {"error": "MemoryError: too large"}


@pytest.fixture(scope="module")
def program():
    """A small program with a variable that it changes and one that it reads."""
    changed, read = tf.Variable([1.0, 2.0]), tf.Variable(3.0)

    def step(x):
        changed.assign_add(read * x)
        return tf.reduce_sum(changed)

    step = compiled(step)
    x = tf.constant([1.0, 1.0])
    captured = export_step._captured(step.get_concrete_function(x))
    text = step.experimental_get_compiler_ir(x)(stage="stablehlo")
    return captured, text


def test_a_program_is_made_portable(program):
    captured, text = program
    assert sorted(np.size(value) for value in captured) == [1, 2]
    portable, updated = export_step._portable(text, 1, len(captured))
    assert [captured[number].tolist() for number in updated] == [[1.0, 2.0]]
    assert "loc(" not in portable and "mhlo" not in portable.replace("stablehlo", "")
    assert portable.count("tf.aliasing_output = 1 : i32") == 1


def test_a_program_that_is_none_of_ours(program):
    captured, text = program
    with pytest.raises(ValueError, match="operations of mhlo"):
        export_step._portable(text.replace("stablehlo.add", "mhlo.add"), 1, len(captured))
    with pytest.raises(ValueError, match="must take 9 inputs"):
        export_step._portable(text, 9, len(captured))


@pytest.mark.slow
def test_all_of_it(tmp_path):
    out = tmp_path / "out.json"
    assert accelerator.main(["--out", str(out), "--quick", "--seconds", "1800"]) == 0
    found = json.loads(out.read_text())
    assert found["determinism"]["same_bits"] and found["determinism by XLA"]["same_bits"]
    assert found["training"]["images_per_s"] > 0
    assert not [row for row in found["steps"] if "error" in row or "left_out" in row]


@pytest.mark.slow
def test_under_jax(tmp_path):
    if subprocess.run([JAX, "-c", "import jax"], capture_output=True).returncode:
        pytest.skip("NO JAX: set JAX_PYTHON to an interpreter that has it to run this test")
    flags = ["--quick", "--classes", "9", "--batch", "2", "--precision", "float32"]
    assert export_step.main(["--out", str(tmp_path / "steps"), *flags]) == 0
    script = export_step.__file__.replace("export_step", "run_in_jax")
    out = tmp_path / "out.json"
    command = [JAX, script, str(tmp_path / "steps"), "--out", str(out), "--steps", "2"]
    subprocess.run(command, check=True)
    rows = json.loads(out.read_text())["steps"]
    assert [row["form"] for row in rows] == ["patches", "dense"]
    for row in rows:
        assert row["same_bits"] and row["finite"] and row["step_s"] > 0
        assert row["largest_difference_of_losses"] < 1e-3
