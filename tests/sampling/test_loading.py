"""What is no model, and what is said of it."""

import pytest

import oasis_tf
from data_pipeline.errors import DataError


def test_no_model(tmp_path):
    with pytest.raises(DataError, match=r"Received: .*missing, no such directory"):
        oasis_tf.load(tmp_path / "missing")
    with pytest.raises(DataError, match="a model must be .* which holds none"):
        oasis_tf.load(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best_EMA.pth").touch()
    with pytest.raises(DataError, match="PyTorch checkpoints, which python -m oasis_tf.convert"):
        oasis_tf.load(tmp_path)
