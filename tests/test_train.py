"""The command: a short run, its files, resuming after a kill, and what bad input gets."""

import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.locking import locked
from data_pipeline.records.manifest import Manifest
from oasis_tf.config import Config, ConfigError, settings
from oasis_tf.configs import PRESETS
from oasis_tf.train import main, parse_arguments, resolve_config
from tests.conftest import eagerly
from tests.toy_data import build_records

ROOT = Path(__file__).parents[1]
TINY = ["--toy", "--base_channels", "2", "--batch_size", "2", "--log_every", "1"]
TINY += ["--statistics_batches", "2"]
EVENTS = ["--evaluate_every", "2", "--pictures_every", "2", "--checkpoint_every", "1"]
STEPS = 4
# Without graphs, which take most of the seconds of so few steps; test_train_options.py has them.
EAGER = (
    "import sys, tensorflow as tf; tf.config.run_functions_eagerly(True); "
    "from oasis_tf.train import main; sys.exit(main())"
)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def command(records, model_dir, *flags):
    arguments = ["--dataset", "folder", "--data_dir", str(records), "--model_dir", str(model_dir)]
    return [*arguments, *TINY, *EVENTS, "--steps", str(STEPS), *flags]


def start(records, model_dir, *flags):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", EAGER, *command(records, model_dir, *flags)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_here(records, model_dir, *flags):
    """The command in this process: (exit code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    with eagerly(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command(records, model_dir, *flags))
    return code, out.getvalue(), err.getvalue()


def losses(model_dir, prefixes=("loss/", "gradient_norm/"), part="train"):
    """{step: {name: float}} of TensorBoard's files; later files overwrite earlier steps."""
    values = {}
    for path in sorted((model_dir / part).glob("events*"), key=os.path.getmtime):
        for event in events(path):
            for value in event.summary.value:
                if value.tag.startswith(prefixes):
                    step = values.setdefault(event.step, {})
                    step[value.tag] = float(tf.make_ndarray(value.tensor))
    return values


def events(path):
    """What a file of TensorBoard's holds, up to where a kill has cut it short."""
    with contextlib.suppress(tf.errors.DataLossError):
        yield from tf.compat.v1.train.summary_iterator(str(path))


@pytest.fixture(scope="module")
def reference(records, tmp_path_factory):
    """A run that nothing happens to: (directory, stdout, stderr, seconds it took)."""
    model_dir, begin = tmp_path_factory.mktemp("runs") / "whole", time.monotonic()
    code, out, err = run_here(records, model_dir, "--histograms")
    assert code == 0, err
    return model_dir, out, err, time.monotonic() - begin


@pytest.fixture(scope="module")
def uninterrupted(reference):
    return reference[:3]


def test_what_a_run_leaves(uninterrupted):
    model_dir, _, err = uninterrupted
    assert "Traceback" not in err
    assert f"step {STEPS}/{STEPS}" in err
    assert re.search(rf"^{STEPS} steps = [0-9.]+ epochs on ", err, re.MULTILINE)
    assert "too few" not in err  # for --toy is meant for few
    names = {p.name for p in model_dir.iterdir()}
    assert names == {
        "config.json",
        "events.json",
        "checkpoints",
        "best",
        "pictures",
        "train",
        "val",
    }
    kept = {p.name for p in (model_dir / "checkpoints").glob("*.index")}
    assert kept == {"step-2.index", "step-3.index", "step-4.index"}
    assert len(list((model_dir / "best").glob("*.index"))) == 1
    assert {p.name for p in (model_dir / "pictures").iterdir()} == {
        "step_0000002.png",
        "step_0000004.png",
    }
    assert json.loads((model_dir / "config.json").read_text())["config"]["steps"] == STEPS


def test_what_it_says_at_the_end(uninterrupted):
    model_dir, out, _ = uninterrupted
    said = {line[:12].strip(): line[13:] for line in out.splitlines()}
    assert said["step"] == str(STEPS)
    assert said["checkpoint"] == str(model_dir / "checkpoints" / f"step-{STEPS}")
    best, pictures = (said[name].split("  ")[0] for name in ("best so far", "pictures"))
    assert [f"{best}.index"] == [str(p) for p in (model_dir / "best").glob("*.index")]
    assert pictures == str(model_dir / "pictures" / f"step_{STEPS:07}.png")
    program, *flags = said["TensorBoard"].split()
    assert Path(program).exists() and flags == ["--logdir", str(model_dir)]
    assert said["next"] == f"the same command with --steps {2 * STEPS} trains on"


def test_tensorboard_has_everything(uninterrupted):
    model_dir, *_ = uninterrupted
    tags, curves, described = set(), set(), set()
    for path in model_dir.glob("*/events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.add(value.tag)
                if value.metadata.plugin_data.plugin_name == "scalars":
                    curves.add(value.tag)
                if value.metadata.summary_description:
                    described.add(value.tag)
    assert curves == described
    wanted = {
        "data/preview",
        "loss/generator",
        "loss/discriminator",
        "loss/discriminator_fake",
        "loss/discriminator_real",
        "loss/labelmix",
        "gradient_norm/generator",
        "gradient_norm/discriminator",
        "learning_rate/generator",
        "learning_rate/discriminator",
        "images_per_second",
        "sigma/generator_first",
        "sigma/discriminator_last",
        "score/miou",
        "score/accuracy",
        "discriminator/real_accuracy",
        "discriminator/real_as_fake",
        "discriminator/fake_as_fake",
        "labels | photograph | generated | averaged",
        "settings",
    }
    assert wanted <= tags
    assert any(tag.startswith("generator/000") for tag in tags)  # --histograms
    assert sorted(losses(model_dir)) == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_stopped_at_two_random_moments(reference, records, tmp_path):
    """Forty more are in tests/survival/test_moments.py, with metrics."""
    # Late, for it takes what it compares with from here.
    from tests.survival.moments import assert_nothing_happened, stop_again_and_again

    expected, *_, seconds = reference

    def train(model_dir):
        return start(records, model_dir, "--histograms")

    rng = random.Random(0)
    stop_again_and_again(train, tmp_path / "run", 2, ["SIGTERM", "tee and Ctrl-C"], rng, seconds)
    assert_nothing_happened(tmp_path / "run", expected)


def test_killed_and_resumed_is_the_same_run(uninterrupted, records, tmp_path):
    """Killed in another process while it validates, and resumed in this one."""
    model_dir = tmp_path / "killed"
    process = start(records, model_dir)
    wait_for(model_dir / "checkpoints" / "step-2.index", process)
    process.kill()
    assert "Traceback" not in process.communicate()[1]
    code, _, err = run_here(records, model_dir)
    assert code == 0, err
    assert re.search(r"resuming at step [12]\b", err)
    assert_same_run(model_dir, uninterrupted[0])


@pytest.mark.slow
def test_stopped_and_resumed_is_the_same_run(uninterrupted, records, tmp_path):
    model_dir = tmp_path / "stopped"
    process = start(records, model_dir)
    wait_for_line(process, f"step 1/{STEPS}")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert "stopped by SIGTERM; the same command goes on from here" in out
    code, _, err = run_here(records, model_dir)
    assert code == 0, err
    assert_same_run(model_dir, uninterrupted[0])


@pytest.mark.slow
def test_killed_again_and_again(uninterrupted, records, tmp_path):
    """SIGKILL at any moment at all: while importing, stepping, saving, drawing."""
    model_dir = tmp_path / "killed"
    for _ in range(6):
        process = start(records, model_dir)
        time.sleep(random.uniform(3, 15))
        process.kill()
        _, err = process.communicate()
        assert "Traceback" not in err and "error" not in err
    process = start(records, model_dir)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert_same_run(model_dir, uninterrupted[0])


def assert_same_run(model_dir, expected_dir):
    """The same losses, and the same networks to the last bit."""
    assert losses(model_dir) == losses(expected_dir)
    actual, expected = (
        tf.train.load_checkpoint(str(d / "checkpoints" / f"step-{STEPS}"))
        for d in (model_dir, expected_dir)
    )
    # All but the object graph, which is no array, and the number of saves.
    names = [n for n in expected.get_variable_to_shape_map() if not n.startswith(("_", "save_"))]
    assert len(names) > 500
    for name in names:
        np.testing.assert_array_equal(actual.get_tensor(name), expected.get_tensor(name), name)


def wait_for(path, process, timeout=180):
    deadline = time.monotonic() + timeout
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)


def wait_for_line(process, text):
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"the process ended without saying {text!r}")


@pytest.fixture
def small_run(uninterrupted, tmp_path):
    """A copy of a finished run."""
    shutil.copytree(uninterrupted[0], tmp_path / "run")
    return tmp_path / "run"


def fails(capsys, arguments, *texts):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith(("error: ", "  "))
    assert "Traceback" not in captured.err
    for text in texts:
        assert text in captured.err


def test_the_command(records, tmp_path):
    words = ["--dataset", "folder", "--data_dir", str(tmp_path / "none"), "--model_dir", "m"]
    done = subprocess.run(
        [sys.executable, "-m", "oasis_tf.train", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_no_records(capsys, tmp_path):
    fails(capsys, command(tmp_path / "none", tmp_path / "run"), str(tmp_path / "none"))
    assert not (tmp_path / "run").exists()


def test_records_of_another_set(capsys, records, tmp_path):
    arguments = command(records, tmp_path / "run")
    arguments[1] = "lvis"
    fails(capsys, arguments, "--dataset must be what", "folder. Received: lvis")


@pytest.mark.parametrize(
    "flags, text",
    [
        (["--data_service", "localhost:1"], "must be grpc://HOST:PORT. Received: localhost:1"),
        (["--image_size", "100", "128"], "multiples of 64"),
        (["--image_size", "128", "128"], "64 128. Received: 128 128"),
        (["--batch_size", "7"], "at least --batch_size 7 pictures. Received: 6"),
        (["--batch_size", "0"], "--batch_size must be positive. Received: 0"),
        (["--seed", "-1"], r"--seed must be in [0, 2^32). Received: -1"),
        (["--labelmix_weight", "nan"], "--labelmix_weight must be finite. Received: nan"),
        (["--init_from", "gs://bucket/run"], "--init_from must be a path of this machine"),
        (["--segmenter", "s3://bucket/judge"], "--segmenter must be a path of this machine"),
        (["--base_channels", "-1"], "--base_channels must be positive. Received: -1"),
    ],
)
def test_impossible_settings(capsys, records, tmp_path, flags, text):
    fails(capsys, command(records, tmp_path / "run", *flags), text)
    assert not (tmp_path / "run").exists()


def test_a_run_of_another_configuration(capsys, records, small_run):
    before = sorted(p.name for p in small_run.rglob("*"))
    arguments = command(records, small_run, "--seed", "5", "--labelmix_weight", "1")
    fails(capsys, arguments, "seed: began with 0, received 5", "labelmix_weight: began with 10.0")
    assert sorted(p.name for p in small_run.rglob("*")) == before


def test_a_directory_of_something_else(capsys, records, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    fails(capsys, command(records, tmp_path), "must be empty or hold a run")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_kill_before_the_first_file_was_whole(capsys, records, tmp_path, monkeypatch):
    def stop(*_):
        raise ConfigError("far enough")

    monkeypatch.setattr("oasis_tf.train._train_in", stop)
    (tmp_path / "config.json.tmp").write_text('{"conf')
    # The directory is taken, and what this start leaves, which fails, is no obstacle to the next.
    fails(capsys, command(records, tmp_path), "far enough")
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]
    fails(capsys, command(records, tmp_path, "--seed", "7"), "far enough")


def test_a_model_dir_that_another_training_writes_in(capsys, records, tmp_path):
    with locked(tmp_path):
        before = sorted(p.name for p in tmp_path.iterdir())
        fails(capsys, command(records, tmp_path), "--model_dir must be no other training's")
        assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_tf_config_without_a_strategy(capsys, records, tmp_path, monkeypatch):
    """Each of the two would train alone, as if it were the chief."""
    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    fails(capsys, command(records, tmp_path / "run"), "--strategy must be given")
    assert not (tmp_path / "run").exists()


def test_a_model_dir_that_is_a_file(capsys, records, tmp_path):
    (tmp_path / "file").write_text("x")
    fails(capsys, command(records, tmp_path / "file"), "must be a writable directory")


def test_a_truncated_shard(capsys, records, tmp_path):
    damaged = tmp_path / "records"
    shutil.copytree(records, damaged)
    shard = sorted(damaged.glob("train*"))[0]
    shard.write_bytes(shard.read_bytes()[:-10])
    fails(capsys, command(damaged, tmp_path / "run"), shard.name, "truncated")


def test_a_flipped_byte_in_a_record(capsys, records, tmp_path):
    damaged = tmp_path / "records"
    shutil.copytree(records, damaged)
    shard = sorted(damaged.glob("train*"))[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    fails(capsys, command(damaged, tmp_path / "run"), shard.name, "damaged")


def test_damaged_checkpoints(capsys, records, small_run):
    """None is whole; tests/survival has those where one before the newest is."""
    for path in (small_run / "checkpoints").glob("step-*.data*"):
        path.write_bytes(path.read_bytes()[:100])
    fails(capsys, command(records, small_run, "--steps", "9"), f"step-{STEPS} must be whole")


def test_a_loss_that_is_not_finite(capsys, records, tmp_path, eager):
    """A learning rate that blows up; the term and the step are named, the checkpoint stays."""
    arguments = command(records, tmp_path / "run", "--generator_lr", "1e30", "--steps", "8")
    assert main(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: loss/") or error.startswith("error: gradient_norm/")
    assert " at step " in error
    assert not list((tmp_path / "run" / "best").glob("*"))
    step = int(error.split()[-1])
    saved = [int(p.stem.split("-")[1]) for p in (tmp_path / "run" / "checkpoints").glob("*.index")]
    assert all(s < step for s in saved)


def test_every_setting_is_a_flag(records):
    given = {
        "image_size": (64, 128),
        "metrics": ("kid", "miou"),
        "features": "segmenter",
        "segmenter": "segmenter",
        "start": "released",
        "class_balance": "batch",
        "noise_layers": "first",
        "discriminator": "segmentation",
        "vgg_weights": "vgg.h5",
        "precision": "mixed_bfloat16",
        "epochs": 3,
        "batch_size": 4,
        "accumulate": 1,
        "ema_decay": 0.5,
        "init_from": "elsewhere",
        "init_classes": "by_name",
    }
    for field in settings():
        if field.name not in given:
            kind = type(PRESETS["folder"].__dict__[field.name])
            given[field.name] = {bool: True, float: 0.25}.get(kind, 7)
    given["steps"] = None
    words = ["--dataset", "folder", "--data_dir", str(records), "--model_dir", "runs/mine"]
    for name, value in given.items():
        if value is True:
            words += [f"--{name}"]
        elif value is not None:
            shown = ",".join(value) if name == "metrics" else value
            words += [f"--{name}", *map(str, shown if isinstance(shown, tuple) else [shown])]
    config = resolve_config(parse_arguments(words), Manifest.read(records))
    assert config == Config("folder", **given)


def test_the_command_line_counts_for_more_than_a_preset(records):
    words = ["--dataset", "folder", "--data_dir", str(records), "--model_dir", "m", "--toy"]
    manifest = Manifest.read(records)
    config = resolve_config(parse_arguments([*words, "--epochs", "2"]), manifest)
    assert config.total_steps(6) == 3
    config = resolve_config(parse_arguments([*words, "--base_channels", "4"]), manifest)
    assert (config.generator_channels, config.discriminator_channels) == (4, 4)
    with pytest.raises(ConfigError, match="Received: --epochs 2 --steps 9"):
        resolve_config(parse_arguments([*words, "--epochs", "2", "--steps", "9"]), manifest)
