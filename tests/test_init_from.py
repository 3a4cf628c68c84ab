"""A run that starts from another's weights."""

import dataclasses

import numpy as np
import pytest

from data_pipeline.labels.legend import Legend
from data_pipeline.records.manifest import Manifest
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.config import ConfigError
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


def test_the_way_out_is_named_where_only_classes_differ(source):
    model = open_run_dir(source[0])
    other = Legend(("unlabelled", "moon"), ((0, 0, 0), (9, 9, 9)))
    with pytest.raises(ConfigError, match="classes: .*--init_classes by_name takes"):
        model.check_fits(toy_config(init_from="x"), other)


@pytest.mark.slow
def test_other_classes_are_taken_by_name(records, tmp_path, capsys):
    """The records' classes are unlabelled, sky, sea and sand."""
    there = Legend(
        ("unlabelled", "tree", "sand", "sky"), ((0, 0, 0), (0, 9, 0), (9, 9, 0), (0, 0, 9))
    )
    networks = write_model_dir(tmp_path / "there", legend=there)
    manifest = Manifest.read(records)
    config = toy_config(batch_size=2, steps=1, init_from=str(tmp_path / "there"))
    model = open_run_dir(config.init_from)
    with pytest.raises(ConfigError, match="class 1: 'tree' there, 'sky' here"):
        model.check_fits(config, Legend.of(manifest))
    config = dataclasses.replace(config, init_classes="by_name")
    model.check_fits(config, Legend.of(manifest))
    run = Run(config, manifest, records, tmp_path / "new")
    err = capsys.readouterr().err
    assert "3 of 4 classes are taken by their names from" in err and "1 start anew: sea" in err
    for name in ("generator", "ema_generator"):
        kernel, source = (n[name].first.kernel.numpy() for n in (run.state.networks, networks))
        noise = config.noise_channels
        for here, from_there in ((0, 0), (1, 3), (3, 2)):
            np.testing.assert_array_equal(
                kernel[:, :, noise + here], source[:, :, noise + from_there]
            )
        assert not (kernel[:, :, noise + 2] == source[:, :, noise + 1]).any()
        np.testing.assert_array_equal(kernel[:, :, :noise], source[:, :, :noise])
    kernel = run.state.discriminator.last.kernel.numpy()[0, 0]
    source = networks["discriminator"].last.kernel.numpy()[0, 0]
    for here, from_there in ((0, 0), (1, 1), (2, 4), (4, 3)):  # "fake" and unlabelled first
        np.testing.assert_array_equal(kernel[:, here], source[:, from_there])


def test_no_class_in_common(records, tmp_path):
    there = Legend(("unlabelled", "tree"), ((0, 0, 0), (0, 9, 0)))
    write_model_dir(tmp_path, legend=there)
    config = toy_config(init_from=str(tmp_path), init_classes="by_name")
    with pytest.raises(ConfigError, match="none of those here is there by the same name"):
        open_run_dir(tmp_path).check_fits(config, Legend.of(Manifest.read(records)))
