"""Keras as this software needs it, whatever other projects have set."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from oasis_tf import keras_setup

ROOT = Path(__file__).parents[1]
SHOW = (
    "from oasis_tf.keras_setup import keras; c = keras.config; "
    "print(c.backend(), c.floatx(), c.dtype_policy().name, c.image_data_format())"
)


@pytest.mark.slow
def test_settings_of_another_project(tmp_path):
    (tmp_path / ".keras").mkdir()
    theirs = {"floatx": "float64", "image_data_format": "channels_first", "backend": "jax"}
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(theirs))
    environment = {**os.environ, "HOME": str(tmp_path), "KERAS_BACKEND": "torch"}
    environment.pop("KERAS_HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == ["tensorflow", "float32", "float32", "channels_last"], done.stderr
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: Keras is set to floatx float64; float32 is used in this process",
        "note: Keras is set to image_data_format channels_first; channels_last is used in this "
        "process",
    ]


def test_keras_on_another_backend_already(monkeypatch):
    monkeypatch.setattr(keras_setup.keras.backend, "backend", lambda: "jax")
    with pytest.raises(keras_setup.KerasError, match="Keras must run on Tensor.*Received: jax"):
        keras_setup._set_up()


def test_nobody_imports_keras_elsewhere():
    found = [
        path.name
        for path in (ROOT / "oasis_tf").rglob("*.py")
        if re.search(r"^\s*(import keras|from keras\b)(?!_)", path.read_text(), re.MULTILINE)
    ]
    assert found == ["keras_setup.py"]
