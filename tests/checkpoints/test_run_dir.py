"""Which weights are loaded, and what is said when they cannot be."""

import json
import shutil

import numpy as np
import pytest

from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.config import ConfigError
from tests.toy_model import LEGEND, save_checkpoint, toy_config, write_model_dir


def values(network):
    return [variable.numpy() for variable in network.variables]


def assert_same(network, expected):
    for variable, value in zip(network.variables, expected, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Networks that fit into `toy_run`."""
    return write_model_dir(tmp_path_factory.mktemp("other"))


def shift(network):
    for variable in network.variables:
        variable.assign(variable + 1)


@pytest.fixture
def copy(toy_run, tmp_path):
    shutil.copytree(toy_run, tmp_path / "run")
    return tmp_path / "run"


def test_the_averaged_generator_of_the_best_checkpoint(networks, copy):
    model = open_run_dir(copy)
    assert model.config == toy_config()
    assert model.legend == LEGEND
    save_checkpoint(copy, networks, "best", step=20)
    averaged, newest = values(networks["ema_generator"]), values(networks["generator"])
    shift(networks["ema_generator"])
    save_checkpoint(copy, networks, "checkpoints", step=30)
    assert model.checkpoint == str(copy / "best" / "step-20")
    assert model.title == f"{copy} step 20 (best)"
    generator = model.load_generator()
    assert_same(generator, averaged)
    for others in (newest, values(networks["ema_generator"])):
        with pytest.raises(AssertionError):
            assert_same(generator, others)


def test_the_newest_where_none_is_the_best(networks, copy):
    shutil.rmtree(copy / "best")
    save_checkpoint(copy, networks, "checkpoints", step=10)
    shift(networks["ema_generator"])
    save_checkpoint(copy, networks, "checkpoints", step=20)
    model = open_run_dir(copy)
    assert model.checkpoint.endswith("checkpoints/step-20")
    assert model.title == f"{copy} step 20 (newest, none is best)"
    assert_same(model.load_generator(), values(networks["ema_generator"]))


def test_no_model(tmp_path, copy):
    with pytest.raises(ConfigError, match=r"config.json: no such file"):
        open_run_dir(tmp_path)
    shutil.rmtree(copy / "best")
    with pytest.raises(DataError, match=r"must hold a checkpoint, in best/ or checkpoints/"):
        open_run_dir(copy).load_generator()


@pytest.mark.parametrize("content", [None, b"", b"\xff", b'model_checkpoint_path: "step-99"'])
def test_the_file_checkpoint_is_not_believed(copy, content):
    (copy / "best" / "checkpoint").unlink()
    if content is not None:
        (copy / "best" / "checkpoint").write_bytes(content)
    assert open_run_dir(copy).checkpoint == str(copy / "best" / "step-10")


@pytest.mark.parametrize("spoilt", ["*.index", "*.[id][na]*"])
def test_a_best_that_is_not_whole_is_named(copy, spoilt):
    """A copy under way; the newest would be other weights in silence."""
    shutil.copytree(copy / "best", copy / "checkpoints")
    for path in (copy / "best").glob(spoilt):
        path.unlink()
    with pytest.raises(DataError, match=r"run/best must hold a checkpoint's .index and .data"):
        open_run_dir(copy).load_generator()


def test_the_same_checkpoint_all_along(copy):
    """A training replaces its best while a command reads it."""
    model = open_run_dir(copy)
    first = model.checkpoint
    for path in (copy / "best").glob("step-10.*"):
        shutil.copy(path, path.with_name(path.name.replace("step-10", "step-20")))
    assert model.checkpoint == first != open_run_dir(copy).checkpoint


def test_a_run_from_before_classes_were_written(copy):
    path = copy / "config.json"
    content = json.loads(path.read_text())
    del content["data"]["class_names"]
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=r"must name the classes.*training command, run once"):
        open_run_dir(copy)


def test_a_checkpoint_of_other_widths(copy):
    path = copy / "config.json"
    path.write_text(path.read_text().replace('"spade_channels": 4', '"spade_channels": 6'))
    with pytest.raises(DataError, match=r"step-10 must be whole and of the widths that .*config"):
        open_run_dir(copy).load_generator()


def test_a_damaged_checkpoint(copy):
    (path,) = (copy / "best").glob("*.data-*")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"step-10 must be whole"):
        open_run_dir(copy).load_generator()


def test_what_a_run_can_start_from(toy_run):
    model = open_run_dir(toy_run)
    model.check_fits(toy_config(image_size=(128, 128), init_gain=1.0), LEGEND)
    with pytest.raises(ConfigError, match=r"spade_channels: 4 there, 8 here\n  noise_channels: 3"):
        model.check_fits(toy_config(spade_channels=8, noise_channels=5), LEGEND)
    fewer = Legend(LEGEND.class_names[:3], LEGEND.palette[:3])
    with pytest.raises(ConfigError, match="classes: 5 there, 3 here"):
        model.check_fits(toy_config(), fewer)
    renamed = Legend((*LEGEND.class_names[:4], "stone"), LEGEND.palette)
    with pytest.raises(ConfigError, match="class 4: 'sea shell' there, 'stone' here"):
        model.check_fits(toy_config(), renamed)
