"""Paths that TensorFlow would write models to, and not read them from again."""

import pytest
import tensorflow as tf

import oasis_tf
from data_pipeline.errors import DataError
from oasis_tf import convert, export, serve, train
from oasis_tf.model_path import check_model_path

READABLE = ("a*b", "a?b", "a]b", "a{1,2}", "a b", "%d", "a'b", "\u00e4")
UNREADABLE = ("run[1]", "a\\b")


def restored(directory):
    """Whether a checkpoint written there is found again."""
    path = tf.train.Checkpoint(v=tf.Variable(2.0)).write(str(directory / "step-1"))
    found = tf.Variable(0.0)
    try:
        tf.train.Checkpoint(v=found).read(path)
    except (tf.errors.NotFoundError, ValueError):
        return False
    return float(found.numpy()) == 2


@pytest.mark.parametrize("name", [*READABLE, *UNREADABLE])
def test_what_is_refused_is_what_tensorflow_does_not_find(tmp_path, name):
    (tmp_path / name).mkdir()
    assert restored(tmp_path / name) == (name in READABLE)
    if name in READABLE:
        check_model_path(tmp_path / name, "--model_dir")
    else:
        with pytest.raises(DataError, match="--model_dir must be a path without"):
            check_model_path(tmp_path / name, "--model_dir")


def test_train_refuses_before_anything_is_read_or_written(tmp_path, capsys):
    arguments = ["--dataset", "folder", "--data_dir", str(tmp_path / "absent")]
    assert train.main([*arguments, "--model_dir", str(tmp_path / "run[1]")]) == 2
    assert "--model_dir must be a path without [ or" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_serve_refuses(tmp_path, capsys):
    (tmp_path / "model[1]").mkdir()
    assert serve.main(["--model_base_path", str(tmp_path / "model[1]")]) == 2
    assert "--model_base_path must be a path without" in capsys.readouterr().err


def test_export_and_convert_refuse(toy_run, tmp_path, capsys):
    out = ["--out", str(tmp_path / "model[1]")]
    assert export.main(["--model", str(toy_run), *out]) == 2
    assert convert.main(["--model", str(toy_run), *out]) == 2
    assert capsys.readouterr().err.count("error: --out must be a path without") == 2
    assert not any(tmp_path.iterdir())


def test_load_says_so(tmp_path):
    (tmp_path / "run[1]").mkdir()
    with pytest.raises(DataError, match="a model must be a path without"):
        oasis_tf.load(tmp_path / "run[1]")
