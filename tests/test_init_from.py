"""A run that starts from another's weights."""

import numpy as np
import pytest

from data_pipeline.labels.legend import Legend
from data_pipeline.records.manifest import Manifest
from oasis_tf.train import main
from oasis_tf.training.loop import Run
from tests.toy_data import build_records
from tests.toy_model import toy_config, write_model_dir


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def source(records, tmp_path_factory):
    """(directory, networks) of a model of the same classes."""
    path = tmp_path_factory.mktemp("source")
    return path, write_model_dir(path, legend=Legend.of(Manifest.read(records)))


def test_all_networks_start_there(records, source, tmp_path):
    path, networks = source
    config = toy_config(batch_size=2, steps=1, init_from=str(path))
    run = Run(config, Manifest.read(records), records, tmp_path)
    for name, network in networks.items():
        for a, b in zip(run.state.networks[name].variables, network.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=b.path)
    assert run.start_step == 0


def test_other_widths_are_refused_at_once(records, source, tmp_path, capsys):
    flags = [
        "--dataset",
        "folder",
        "--data_dir",
        str(records),
        "--model_dir",
        str(tmp_path / "new"),
    ]
    assert main([*flags, "--toy", "--batch_size", "2", "--init_from", str(source[0])]) == 2
    error = capsys.readouterr().err
    assert "must hold networks of the same widths and classes as the run" in error
    assert "generator_channels: 1 there, 8 here" in error
    assert not (tmp_path / "new").exists()
    assert main([*flags, "--toy", "--batch_size", "2", "--init_from", "missing"]) == 2
    assert "missing/config.json: no such file" in capsys.readouterr().err
