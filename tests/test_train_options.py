"""Options of the command that change how steps are made: each in processes of its own."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.test_train import ROOT, command, losses
from tests.toy_data import build_records

STEPS = 4


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def train(records, model_dir, *flags, steps=STEPS):
    """Trains to the end; what the process said on stderr."""
    flags = ["--evaluate_every", "2", "--steps", str(steps), *flags]
    done = subprocess.run(
        [sys.executable, "-m", "oasis_tf.train", *command(records, model_dir, *flags)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def plain(records, tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("runs") / "plain"
    train(records, model_dir)
    return model_dir


def assert_same_state(one, other):
    """Everything in the last checkpoint, to the last bit."""
    first, second = (
        tf.train.load_checkpoint(str(d / "checkpoints" / f"step-{STEPS}")) for d in (one, other)
    )
    # All but the object graph, which is no array, and the number of saves.
    names = [n for n in first.get_variable_to_shape_map() if not n.startswith(("_", "save_"))]
    assert len(names) > 500
    for name in names:
        np.testing.assert_array_equal(second.get_tensor(name), first.get_tensor(name), name)


@pytest.mark.slow
def test_many_steps_per_loop_are_the_same_steps(records, plain, tmp_path):
    seldom = [f"--{what}_every=4" for what in ("log", "checkpoint", "pictures")]
    train(records, tmp_path / "run", "--steps_per_loop", "3", *seldom)
    assert_same_state(tmp_path / "run", plain)
    # Means over the steps of an inner loop, which ends where something is due: 2, for a score.
    expected, actual = (losses(d, prefixes=("loss/",)) for d in (plain, tmp_path / "run"))
    assert sorted(actual) == [2, 4]
    for step, values in actual.items():
        for name, value in values.items():
            mean = (expected[step - 1][name] + expected[step][name]) / 2
            assert value == pytest.approx(mean, rel=1e-6)


@pytest.mark.slow
def test_an_accumulating_run_goes_on_as_if_it_had_not_stopped(records, plain, tmp_path):
    flags = ["--accumulate", "2", "--class_balance", "batch"]
    train(records, tmp_path / "whole", *flags)
    train(records, tmp_path / "stopped", *flags, steps=2)
    assert "resuming at step 2" in train(records, tmp_path / "stopped", *flags)
    assert_same_state(tmp_path / "stopped", tmp_path / "whole")
    assert losses(tmp_path / "whole") == losses(tmp_path / "stopped") != losses(plain)


@pytest.mark.slow
def test_two_deterministic_runs_are_one(records, tmp_path):
    for name in ("one", "two"):
        train(records, tmp_path / name, "--deterministic")
    assert_same_state(tmp_path / "one", tmp_path / "two")
    assert losses(tmp_path / "one") == losses(tmp_path / "two")


@pytest.mark.slow
def test_mirrored_on_a_machine_with_one_device(records, plain, tmp_path):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("takes the GPUs instead")
    said = train(records, tmp_path / "run", "--strategy", "mirrored")
    assert "1 device; from step 0" in said
    assert_same_state(tmp_path / "run", plain)
