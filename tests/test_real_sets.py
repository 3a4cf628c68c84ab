"""The main command on real data: every data set builds and trains (slow)."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.test_train import losses

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SETS = {  # data set: folder, size, classes
    "lvis": ("lvis_mini", (64, 64), 1204),
    "ade20k": ("ade20k_mini", (64, 64), 151),
    "coco_stuff": ("coco_stuff_mini", (64, 64), 183),
    "cityscapes": ("cityscapes_mini", (64, 128), 35),
    "folder": ("camvid", (64, 128), 12),
}


def run(module, *arguments):
    result = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr
    return result


def build(shared, dataset, out, size=None):
    folder, default_size, num_classes = SETS[dataset]
    size = size or default_size
    source = shared / "data" / folder
    options = ("--dataset", dataset, "--source", source, "--out", out, "--image_size", *size)
    run("data_pipeline.build", *options)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["num_classes"] == num_classes
    return manifest


@pytest.mark.parametrize("dataset", SETS)
def test_thirty_steps(shared, tmp_path, dataset):
    build(shared, dataset, tmp_path / "records")
    # Batches of one, so that on LVIS some hold no labelled pixel at all.
    run(
        "oasis_tf.train",
        *("--dataset", dataset, "--data_dir", tmp_path / "records"),
        *("--model_dir", tmp_path / "run", "--toy", "--base_channels", 4),
        *("--steps", 30, "--log_every", 1, "--batch_size", 1 if dataset == "lvis" else 4),
    )
    numbers = losses(tmp_path / "run")
    assert sorted(numbers) == list(range(1, 31))
    for terms in numbers.values():
        assert np.isfinite(list(terms.values())).all()
    empty = [terms for terms in numbers.values() if terms["loss/discriminator_real"] == 0]
    if dataset == "lvis":
        assert empty, "no crop without a labelled pixel came"
        assert all(terms["loss/generator"] == 0 for terms in empty)
    else:
        assert not empty


def test_it_learns(shared, tmp_path):
    """On CamVid a few minutes show what a working GAN shows, in numbers and in the picture."""
    manifest = build(shared, "folder", tmp_path / "records", size=(64, 64))
    run(
        "oasis_tf.train",
        *("--dataset", "folder", "--data_dir", tmp_path / "records"),
        *("--model_dir", tmp_path / "run", "--toy", "--log_every", 20, "--evaluate_every", 100),
    )
    numbers = losses(tmp_path / "run")
    scores = losses(tmp_path / "run", prefixes=("score/", "discriminator/"), part="val")
    first, last = numbers[min(numbers)], numbers[max(numbers)]
    # At the start both networks guess: the cross-entropy of N + 1 = 13 answers is 2.56.
    assert first["loss/generator"] > 2.0
    assert last["loss/generator"] < 0.8 * first["loss/generator"]
    assert last["loss/discriminator_real"] < 0.9 * first["loss/discriminator_real"]
    # Neither side has won: D is far from certain of what is generated (0 would be), and
    # not worse than a coin between "fake" and "some class" (ln 2 = 0.69) either.
    assert 0.1 < last["loss/discriminator_fake"] < 0.8
    # D has learnt to segment photographs, and the pictures have become what it looks for.
    best, worst = scores[max(scores)], scores[min(scores)]
    # A guess among the 11 classes would be right for one pixel in eleven.
    assert best["discriminator/real_accuracy"] > 3 / 11
    assert best["discriminator/real_accuracy"] > 1.5 * worst["discriminator/real_accuracy"]
    assert best["score/miou"] > 1.5 * worst["score/miou"]
    # The averaged generator's column: bright skies above dark roads.
    grid = np.asarray(Image.open(max((tmp_path / "run" / "pictures").iterdir()))) / 255.0
    cell, margin, header = (128, 128), 8, 24  # enlarged twice
    palette = np.array(manifest["palette"]) / 255.0
    brightness = {}
    for name in ("sky", "road"):
        colour = palette[manifest["class_names"].index(name)]
        values = []
        for row in range(4):
            top = header + row * (cell[0] + margin)
            labels, drawn = (
                grid[top : top + cell[0], left : left + cell[1]]
                for left in (margin + column * (cell[1] + margin) for column in (0, 3))
            )
            values.append(drawn[np.abs(labels - colour).max(-1) < 0.01])
        brightness[name] = np.concatenate(values).mean()
    assert brightness["sky"] > brightness["road"] + 0.1
