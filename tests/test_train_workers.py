"""The command as two workers on one machine: equal variables, one writer, signals, kills."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from oasis_tf.train import RESTART
from tests.test_train import (
    ROOT,
    STEPS,
    assert_same_run,
    command,
    fails,
    losses,
    wait_for,
)
from tests.toy_data import build_records
from tests.training.test_distribution import tf_configs

FLAGS = ["--strategy", "multi_worker_mirrored", "--class_balance", "batch"]
# Adam turns rounding into steps of its learning rate: small ones, to compare losses.
SLOW_LEARNING = ["--generator_lr", "1e-6", "--discriminator_lr", "1e-6"]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def start(records, model_dir, *flags):
    """Both workers."""
    return [
        subprocess.Popen(
            [sys.executable, "-m", "oasis_tf.train", *command(records, model_dir, *FLAGS, *flags)],
            cwd=ROOT,
            env={**os.environ, "TF_CONFIG": config},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for config in tf_configs(2)
    ]


def finish(processes, timeout=1200):
    """[(exit code, stdout, stderr)]"""
    texts = [process.communicate(timeout=timeout) for process in processes]
    return [(p.returncode, *text) for p, text in zip(processes, texts, strict=True)]


@pytest.fixture(scope="module")
def uninterrupted(records, tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("runs") / "whole"
    ends = finish(start(records, model_dir))
    assert [code for code, *_ in ends] == [0, 0], ends
    return model_dir, ends


@pytest.mark.slow
def test_what_two_workers_leave(uninterrupted):
    model_dir, ((_, chief_out, chief_err), (_, other_out, other_err)) = uninterrupted
    assert {p.name for p in model_dir.iterdir()} == {
        "config.json",
        "events.json",
        "checkpoints",
        "best",
        "pictures",
        "train",
        "val",
    }
    # One writer: one file of each kind, and one picture grid for each time one was due.
    for part in ("train", "val"):
        assert len(list((model_dir / part).iterdir())) == 1
    assert len(list((model_dir / "pictures").iterdir())) == 2
    assert f"step {STEPS}/{STEPS}" in chief_err and "best so far" in chief_out
    assert f"done at step {STEPS}; the chief has written the run" in other_err
    assert f"step {STEPS}/{STEPS}" not in other_err and other_out == ""
    assert sorted(losses(model_dir)) == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_two_workers_have_the_losses_of_one_process(records, tmp_path):
    steps = ["--steps", "3", *SLOW_LEARNING]
    assert [c for c, *_ in finish(start(records, tmp_path / "two", *steps))] == [0, 0]
    arguments = command(records, tmp_path / "one", "--class_balance", "batch", *steps)
    one = subprocess.run([sys.executable, "-m", "oasis_tf.train", *arguments], cwd=ROOT)
    assert one.returncode == 0
    expected, actual = (losses(tmp_path / n, prefixes=("loss/",)) for n in ("one", "two"))
    assert sorted(actual) == sorted(expected) == [1, 2, 3]
    for step, values in expected.items():
        for name, value in values.items():
            np.testing.assert_allclose(actual[step][name], value, rtol=1e-3, err_msg=name)


@pytest.mark.slow
def test_a_signal_to_one_stops_both_and_they_go_on(uninterrupted, records, tmp_path):
    model_dir = tmp_path / "stopped"
    processes = start(records, model_dir)
    wait_for(model_dir / "checkpoints" / "step-2.index", processes[0], timeout=900)
    processes[1].send_signal(signal.SIGTERM)
    ends = finish(processes)
    assert [code for code, *_ in ends] == [128 + signal.SIGTERM] * 2, ends
    assert "stopped by SIGTERM; the same command goes on from here" in ends[0][1]
    ends = finish(start(records, model_dir))
    assert [code for code, *_ in ends] == [0, 0], ends
    assert_same_run(model_dir, uninterrupted[0])


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_kill_ends_both_and_they_go_on(uninterrupted, records, tmp_path, victim):
    model_dir = tmp_path / "killed"
    processes = start(records, model_dir)
    wait_for(model_dir / "checkpoints" / "step-2.index", processes[0], timeout=900)
    processes[victim].kill()
    begin = time.monotonic()
    ends = finish(processes)
    assert time.monotonic() - begin < 600
    code, _, err = ends[1 - victim]
    assert code == RESTART, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("error: another worker is gone")
    ends = finish(start(records, model_dir))
    assert [code for code, *_ in ends] == [0, 0], ends
    assert_same_run(model_dir, uninterrupted[0])


@pytest.mark.parametrize(
    "config, flags, text",
    [
        (None, [], "TF_CONFIG must be set in the environment"),
        ("worker0", [], "TF_CONFIG must be a JSON object"),
        (tf_configs(2)[0].replace('"index": 0', '"index": 2'), [], '"index" from 0 to 1'),
        (tf_configs(2)[0], ["--batch_size", "3"], "multiple of the 2 workers. Received: 3"),
        (
            tf_configs(2)[0],
            ["--batch_size", "6", "--accumulate", "2"],
            "the 2 workers times --accumulate 2. Received: 6",
        ),
    ],
)
def test_impossible_clusters(
    records,
    tmp_path,
    capsys,
    monkeypatch,
    config,
    flags,
    text,
):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    fails(capsys, command(records, tmp_path / "run", *FLAGS, *flags), text)
    assert not (tmp_path / "run").exists()
