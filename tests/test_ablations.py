"""Runs without parts of the method: they train, resume, evaluate and export as any run."""

import json

import numpy as np
import pytest

import oasis_tf
from oasis_tf import convert, evaluate, export
from tests.test_train import run_here
from tests.toy_data import build_records

VARIANTS = {
    "no LabelMix": ["--labelmix_weight", "0"],
    "no balance": ["--class_balance", "none"],
    "no noise": ["--noise_channels", "0"],
    "noise first": ["--noise_layers", "first"],
    "real or fake": ["--discriminator", "real_fake", "--labelmix_weight", "0"],
}
VARIANTS["real or fake"] += ["--class_balance", "none"]
NARROW = ["--base_channels", "1", "--spade_channels", "4", "--metrics", "colour"]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def train(records, model_dir, name, steps):
    code, _, err = run_here(records, model_dir, *NARROW, *VARIANTS[name], "--steps", str(steps))
    assert code == 0, err
    return err


def label_map():
    ids = np.ones((64, 128), int)
    ids[30:] = 2
    ids[30:, 70:] = 3
    return ids


def test_it_trains_and_draws(records, tmp_path, capsys):
    train(records, tmp_path / "run", "real or fake", 2)
    pictures = oasis_tf.load(tmp_path / "run").synthesize(label_map(), seed=1, samples=2)
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() > 0
    # Their code knows no such network.
    out = ["--model", str(tmp_path / "run"), "--out", str(tmp_path / "released")]
    assert convert.main(out) == 2
    assert "Received: a run with --discriminator real_fake" in capsys.readouterr().err


def test_nothing_else_to_choose_by(records, tmp_path):
    flags = [*VARIANTS["real or fake"], "--metrics", "fid"]
    code, _, err = run_here(records, tmp_path / "run", *flags)
    assert code == 2 and "Traceback" not in err
    assert "--discriminator real_fake needs a first one of --metrics that can be computed" in err


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_trained_resumed_evaluated_exported(records, tmp_path, name):
    run, out = tmp_path / "run", tmp_path / "exported"
    train(records, run, name, 2)
    assert "resuming at step 2" in train(records, run, name, 4)
    # In one go it comes to the same weights.
    train(records, tmp_path / "whole", name, 4)
    model, whole = (oasis_tf.load(d) for d in (run, tmp_path / "whole"))
    pictures = model.synthesize(label_map(), seed=1, samples=2)
    np.testing.assert_array_equal(pictures, whole.synthesize(label_map(), seed=1, samples=2))
    assert (pictures[0] == pictures[1]).all() == (name == "no noise")
    flags = ["--data_dir", str(records), "--metrics", "colour", "--out", str(tmp_path / "s.json")]
    flags += ["--cache_dir", str(tmp_path / "cache")]
    assert evaluate.main(["--model", str(run), *flags]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["metrics"]["colour"]["computed"]
    assert export.main(["--model", str(run), "--out", str(out)]) == 0
    exported = oasis_tf.load(out).synthesize(label_map(), seed=1, samples=2)
    assert np.abs(exported.astype(int) - pictures).max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind, suffix", [("onnx", ".onnx"), ("litert", ".tflite")])
@pytest.mark.parametrize("name", ["no noise", "noise first"])
def test_files_of_other_engines(records, tmp_path, name, kind, suffix):
    pytest.importorskip("onnx" if kind == "onnx" else "ai_edge_litert", reason=f"NO {kind}")
    train(records, tmp_path / "run", name, 1)
    out = tmp_path / f"toy{suffix}"
    # Checks itself that the engine draws what the network does.
    flags = ["--model", str(tmp_path / "run"), "--format", kind, "--out", str(out)]
    assert export.main(flags) == 0 and out.is_file()
