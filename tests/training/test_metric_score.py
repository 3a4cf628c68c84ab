"""Metrics during training: evaluate's own numbers, and the best checkpoint they choose."""

import json
import re
import shutil
import types

import keras
import pytest

from data_pipeline.records.manifest import Manifest
from oasis_tf import evaluate
from oasis_tf.config import save_config
from oasis_tf.metrics.frozen import INCEPTION
from oasis_tf.segmenters.network import BOTTLENECK, build_segmentation_network
from oasis_tf.segmenters.segmenter import save_segmenter
from oasis_tf.train import _identity, main
from oasis_tf.training import loop
from tests.test_train import losses
from tests.toy_data import CLASSES, build_records
from tests.training.test_loop import config

ALL = ("kid", "fid", "miou", "colour", "texture")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    path = tmp_path_factory.mktemp("segmenter")
    keras.utils.set_random_seed(3)
    save_segmenter(path, build_segmentation_network(3, 1), CLASSES, features=BOTTLENECK)
    return path


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("OASIS_WEIGHTS", str(tmp_path / "weights"))


def open_run(records, model_dir, **changes):
    model_dir.mkdir(exist_ok=True)
    return loop.Run(config(**changes), Manifest.read(records), records, model_dir)


@pytest.mark.slow
def test_the_numbers_are_those_of_evaluate(records, segmenter, tmp_path):
    settings = dict(metrics=ALL, features="segmenter", segmenter=str(segmenter), seed=4)
    settings.update(steps=2, evaluate_every=1, pictures_every=2, init_gain=2.0)
    run = open_run(records, tmp_path / "run", **settings)
    assert run.notes == []
    outcome = run.train()
    assert outcome.chosen_by == "metrics/kid_by_segmenter"
    curves = losses(tmp_path / "run", prefixes="metrics/", part="val")
    assert sorted(curves) == [1, 2]
    kids = {step: values["metrics/kid_by_segmenter"] for step, values in curves.items()}
    best = min(kids, key=kids.get)
    assert outcome.best_checkpoint.endswith(f"step-{best}")
    assert outcome.best_score == pytest.approx(kids[best])

    manifest = Manifest.read(records)
    save_config(tmp_path / "run", config(**settings), _identity(manifest))
    arguments = ["--model", tmp_path / "run", "--data_dir", records, "--segmenter", segmenter]
    arguments += ["--cache_dir", tmp_path / "cache", "--out", tmp_path / "scores.json"]
    arguments += ["--metrics", ",".join(ALL), "--features", "segmenter"]
    assert evaluate.main([str(each) for each in arguments]) == 0
    metrics = json.loads((tmp_path / "scores.json").read_text())["metrics"]
    assert len(metrics) == len(ALL)
    for name, metric in metrics.items():
        # TensorBoard's numbers are float32.
        assert curves[best][f"metrics/{name}"] == pytest.approx(metric["value"], rel=1e-5), name


def evaluate_with(run, step, score=0.5, **values):
    """Has the run evaluate at a step, with these values of its metrics; None = not computed."""
    run.state.global_step.assign(step)
    run._score = lambda batches: {"score/miou": score}
    metrics = {
        name: {"computed": value is not None, "value": value, "reason": "no reason"}
        for name, value in values.items()
    }
    run._metrics._evaluator = lambda sampler: types.SimpleNamespace(metrics=metrics)
    run._evaluate()


def test_lower_is_better_and_resuming_knows(records, segmenter, tmp_path, capsys):
    settings = dict(metrics=("kid", "miou"), features="segmenter", segmenter=str(segmenter))
    run = open_run(records, tmp_path / "run", **settings)
    for step, kid in ((1, 0.4), (2, -0.2), (3, 0.1), (4, None)):
        evaluate_with(run, step, kid_by_segmenter=kid, miou=step / 10)
    assert run.best.path.endswith("step-2")
    assert run.best.score == pytest.approx(-0.2)
    assert "step 4: no kid_by_segmenter: no reason" in capsys.readouterr().err

    again = open_run(records, tmp_path / "run", **settings)
    assert again.notes == []
    assert again.best.score == pytest.approx(-0.2)
    evaluate_with(again, 5, kid_by_segmenter=-0.1, miou=0.9)
    assert again.best.path.endswith("step-2")
    evaluate_with(again, 6, kid_by_segmenter=-0.3, miou=0.0)
    assert again.best.path.endswith("step-6")

    # Inception's weights are not there: training goes on with the cheap score, and says so.
    other = open_run(records, tmp_path / "run", metrics=("fid", "kid"))
    missing, changed = other.notes
    assert missing.startswith(f"no fid, kid: {INCEPTION.name} must be in {tmp_path / 'weights'}")
    assert "\n" not in missing and "Instead: --features segmenter" in missing
    assert changed.endswith("chosen by metrics/kid_by_segmenter and is now by score/miou")
    evaluate_with(other, 7)
    assert other.best.path.endswith("step-7")


def test_a_segmenter_alone_chooses_by_miou(records, segmenter, tmp_path):
    judge = tmp_path / "judge"
    shutil.copytree(segmenter, judge)
    content = json.loads((judge / "segmenter.json").read_text())
    content["class_names"][1] = "ocean"
    (judge / "segmenter.json").write_text(json.dumps(content))
    run = open_run(records, tmp_path / "run", segmenter=str(judge))
    assert run.notes == [f"miou: left out, for the segmenter cannot name 1 class: {CLASSES[1]}"]
    for step, miou in ((1, 0.2), (2, 0.5), (3, 0.3)):
        evaluate_with(run, step, score=1.0, miou=miou)
    assert run.best.path.endswith("step-2")
    assert run.best.score == 0.5


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--metrics", "fid,magic"], "--metrics must be some of fid, kid, .* Received: magic"),
        (["--metrics", "lpips"], "oasis_tf.evaluate has others.*Received: lpips"),
        (["--metrics", "miou"], "--metrics miou needs --segmenter DIR"),
        (["--metrics", "fid", "--features", "segmenter"], "--features segmenter needs --segmenter"),
        (["--segmenter", "missing"], "train_segmenter writes one"),
        (["--features", "segmenter", "--segmenter", "OLD"], 'no "features"'),
    ],
)
def test_bad_input(records, tmp_path, capsys, flags, message):
    (tmp_path / "old").mkdir()
    save_segmenter(tmp_path / "old", build_segmentation_network(3, 1), CLASSES)
    flags = [str(tmp_path / "old") if flag == "OLD" else flag for flag in flags]
    arguments = ["--dataset", "folder", "--toy", "--batch_size", "2", "--data_dir", str(records)]
    assert main([*arguments, "--model_dir", str(tmp_path / "run"), *flags]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and not (tmp_path / "run").exists()
    assert re.search(message, error, re.DOTALL)
