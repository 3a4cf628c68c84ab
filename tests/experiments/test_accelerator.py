"""What is measured on accelerators, on this CPU: every line, at toy sizes."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.options import Options
from experiments.accelerator import __main__ as accelerator
from experiments.accelerator import export_step, run_released
from oasis_tf.execution import compiled

JAX = os.environ.get("JAX_PYTHON", sys.executable)
TORCH = os.environ.get("TORCH_PYTHON", sys.executable)
PAPER = {"base_channels": 64, "noise_channels": 64, "hidden": 128}


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
    assert len(found["steps"]) == 5


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


def _written(directory, *steps, size=(64, 64)):
    """A directory as `export_step` writes it, less what only JAX needs."""
    rng = np.random.default_rng(0)
    programs = []
    for number, step in enumerate(steps):
        about = {"name": f"step{number}", "precision": "float32", "widths": PAPER, **step}
        shape = (about["batch_size"], *size)
        image = rng.uniform(-1, 1, (*shape, 3)).astype(np.float32)
        label_map = rng.integers(0, about["classes"], shape, np.int32)
        np.savez_compressed(directory / f"{about['name']}.npz", image, label_map)
        programs.append(about)
    (directory / "programs.json").write_text(json.dumps({"programs": programs}))
    return programs


def test_forms_of_a_step_are_one_step_of_the_released_code(tmp_path):
    step = {"classes": 5, "batch_size": 2}
    forms = [{**step, "form": "patches"}, {**step, "form": "dense"}, {**step, "batch_size": 3}]
    programs = _written(tmp_path, *forms, size=(64, 128))
    cases = list(run_released._cases(programs))
    assert [case["batch_size"] for case in cases] == [2, 3]
    image, label_map = run_released._batch(tmp_path, cases[1])
    assert image.shape == (3, 64, 128, 3) and label_map.shape == (3, 64, 128)


@pytest.mark.parametrize(
    ("changed", "size", "reasons"),
    [
        ({}, (64, 128), []),
        ({"precision": "mixed_bfloat16"}, (64, 128), ["float32 only"]),
        ({"widths": {**PAPER, "noise_channels": 3}}, (64, 128), []),
        ({"widths": {**PAPER, "hidden": 8}}, (64, 96), ["hidden 128, not 64 and 8", "64x96"]),
        ({"widths": {**PAPER, "base_channels": 1}}, (64, 64), ["channels 64 .* not 1 and 128"]),
    ],
)
def test_what_the_released_code_cannot_do(changed, size, reasons):
    about = {"precision": "float32", "widths": PAPER, **changed}
    found = run_released._cannot(about, size)
    assert len(found) == len(reasons)
    for said, expected in zip(found, reasons, strict=True):
        assert re.search(expected, said)


def test_no_checkout_and_all_else_that_is_wrong(tmp_path, capsys):
    out = tmp_path / "none" / "out.json"
    flags = ["--checkout", str(tmp_path), "--out", str(out), "--steps", "0"]
    assert run_released.main([str(tmp_path), *flags]) == 2
    programs, checkout, place, steps = capsys.readouterr().err.splitlines()
    assert programs.endswith("Received: No such file or directory")
    assert checkout == (
        f"error: --checkout must be a checkout of the released code. Received: {tmp_path}, "
        "without models/models.py and models/losses.py"
    )
    assert str(out) in place and steps.endswith("at least 1. Received: 0")


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("[]", "another file"),
        ("{", "another file"),
        ('{"programs": [{"name": "a"}]}', "one without the networks' widths"),
    ],
)
def test_another_file_than_export_steps(tmp_path, text, received):
    (tmp_path / "programs.json").write_text(text)
    programs, (wrong,) = run_released._programs(tmp_path)
    assert programs == [] and f"Received: {received}" in wrong


@pytest.mark.slow
def test_all_of_it(tmp_path):
    out = tmp_path / "out.json"
    # A process of its own: XLA keeps gigabytes.
    flags = ["--out", str(out), "--quick", "--seconds", "1800"]
    subprocess.run([sys.executable, "-m", "experiments.accelerator", *flags], check=True)
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
    programs = json.loads((tmp_path / "steps" / "programs.json").read_text())["programs"]
    for about in programs:
        image, label_map = run_released._batch(tmp_path / "steps", about)
        assert image.shape == (*label_map.shape, 3) and image.dtype == np.float32
        (reason,) = run_released._cannot(about, image.shape[1:3])
        assert "not 1 and 8" in reason


@pytest.mark.slow
def test_the_released_code(tmp_path):
    checkout = os.environ.get("OASIS_RELEASED")
    if not checkout:
        pytest.skip("NO RELEASED CODE: set OASIS_RELEASED to a checkout of it to run this test")
    if subprocess.run([TORCH, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip("NO PYTORCH: set TORCH_PYTHON to an interpreter that has it to run this test")
    step = {"classes": 5, "batch_size": 1}
    _written(tmp_path, step, {**step, "precision": "mixed_bfloat16"})
    out = tmp_path / "out.json"
    command = [TORCH, run_released.__file__, str(tmp_path), "--checkout", checkout]
    subprocess.run([*command, "--out", str(out), "--steps", "1"], check=True)
    measured, left_out = json.loads(out.read_text())["steps"]
    assert measured["finite"] and len(measured["samples_s"]) == 1
    assert measured["images_per_s"] * measured["step_s"] == pytest.approx(1)
    assert left_out["left_out"] == "the released code has float32 only"
