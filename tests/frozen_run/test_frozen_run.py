"""A run written by an earlier version (format 0) still loads, goes on and exports.

`files/` holds what `oasis_tf.train` left after two steps of networks with the widths below, and
its records. The names of attributes are the checkpoint's format, so whatever renames them must
still read these files. The picture and the losses are those that the earlier version
gave, but for the noise: they were drawn anew when that got its own formula (`random_normals`).
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import oasis_tf
from oasis_tf import export, train

FILES = Path(__file__).parent / "files"
FLAGS = {
    "generator_channels": 1,
    "discriminator_channels": 1,
    "spade_channels": 4,
    "noise_channels": 3,
    "batch_size": 2,
    "log_every": 1,
    "evaluate_every": 2,
    "pictures_every": 2,
    "checkpoint_every": 2,
    "statistics_batches": 1,
    "steps": 4,
}
# Of steps 3 and 4.
LOSSES = {
    "loss/generator": (1.62952, 1.63387),
    "loss/discriminator_fake": (1.49173, 1.46976),
    "loss/discriminator_real": (1.54321, 1.54517),
    "loss/labelmix": (0.00493921, 0.00321345),
    "gradient_norm/generator": (0.301487, 0.421129),
    "gradient_norm/discriminator": (1.56, 1.53813),
}


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(FILES / "run", tmp_path / "run"))


def label_map():
    """That of `files/expected.png`."""
    ids = np.zeros((64, 128), int)
    ids[20:40] = 1
    ids[40:, 50:] = 2
    ids[50:, :30] = 3
    return ids


def assert_expected(picture):
    expected = np.asarray(Image.open(FILES / "expected.png")).astype(int)
    assert expected.std() > 10
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_it_draws_the_same_picture(run):
    model = oasis_tf.load(run)
    assert model.class_names == ("unlabelled", "sky", "sea", "sand")
    assert_expected(model.synthesize(label_map(), seed=6)[0])


def test_it_goes_on_with_the_same_losses(run, capsys):
    data = ["--dataset", "folder", "--data_dir", str(FILES / "records"), "--model_dir", str(run)]
    flags = [word for name, value in FLAGS.items() for word in (f"--{name}", str(value))]
    assert train.main([*data, "--toy", *flags]) == 0
    assert "resuming at step 2" in capsys.readouterr().err
    values = {}
    for path in sorted((run / "train").glob("events*"), key=os.path.getmtime):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                values[value.tag, event.step] = tf.make_ndarray(value.tensor)
    for name, expected in LOSSES.items():
        np.testing.assert_allclose([values[name, 3], values[name, 4]], expected, rtol=2e-3)


def test_it_exports(run, tmp_path):
    assert export.main(["--model", str(run), "--out", str(tmp_path / "exported")]) == 0
    assert_expected(oasis_tf.load(tmp_path / "exported").synthesize(label_map(), seed=6)[0])
