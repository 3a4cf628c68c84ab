"""The numbers computed by the authors' released code, one case a test run."""

import functools
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from oasis_tf.checkpoints.released import load_released
from tests.conftest import shared_dir

BUNDLED = Path(__file__).parent / "data"


@pytest.fixture(scope="session", params=["wide", "square"])
def case(request, tmp_path_factory):
    """Arrays and networks of a case; `load` gives the networks with the values of the files.

    "wide" (2:1) lies in the repository, with the largest tensors of G's gradient left out;
    where the shared directory is present both cases are read whole from there.
    """
    directory = shared_dir() / "parity" / request.param
    if not directory.is_dir():
        directory = BUNDLED / request.param
    if not directory.is_dir():
        pytest.skip(f"NO SHARED PARITY ARRAYS at {shared_dir()}: only the bundled case runs")
    if not (directory / "latest_EMA.pth").exists():
        # Bundled: the average is tested on the generator's file, which has the same layout.
        copy = tmp_path_factory.mktemp("released")
        for part, name in (("G", "G"), ("D", "D"), ("EMA", "G")):
            shutil.copy(directory / f"latest_{name}.pth", copy / f"latest_{part}.pth")
        checkpoint = copy
    else:
        checkpoint = directory

    @functools.cache
    def read():
        released = load_released(checkpoint, which="latest")
        models = (released.generator, released.discriminator, released.ema_generator)
        variables = [variable for model in models for variable in model.variables]
        return released, [(variable, variable.numpy()) for variable in variables]

    def load():
        released, values = read()
        for variable, value in values:
            variable.assign(value)
        return released

    return SimpleNamespace(
        directory=directory,
        arrays=np.load(directory / "cases.npz"),
        config=json.loads((directory / "config.json").read_text()),
        load=load,
    )
