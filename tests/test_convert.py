"""Their checkpoints to ours and back: every number, and what is refused."""

import json
import pickle
import shutil

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.checkpoints.released import load_released
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.checkpoints.torch_file import read_state_dict, write_state_dict
from oasis_tf.convert import main
from tests.parity.conftest import BUNDLED


@pytest.fixture
def released(tmp_path):
    """A checkpoint of 9 classes in the authors' layout, and the names of the classes."""
    models = tmp_path / "released" / "models"
    models.mkdir(parents=True)
    for part, name in (("G", "G"), ("D", "D"), ("EMA", "G")):
        shutil.copy(BUNDLED / "wide" / f"latest_{name}.pth", models / f"latest_{part}.pth")
    # All three differ, so that none can be taken for another.
    state = read_state_dict(models / "latest_EMA.pth")
    write_state_dict(
        models / "latest_EMA.pth", ((n, a + a.dtype.type(1)) for n, a in state.items())
    )
    names = [*(f"thing {i}" for i in range(8)), "unlabelled"]
    (tmp_path / "names.json").write_text(json.dumps(names))
    return tmp_path


def command(directory, out="converted", **changes):
    flags = {
        "released": directory / "released",
        "which": "latest",
        "dataset": "folder",
        "class_names": directory / "names.json",
        "out": directory / out,
        **changes,
    }
    return [str(x) for name, value in flags.items() if value for x in (f"--{name}", value)]


def convert_back(released):
    flags = ["--model", released / "converted", "--which", "latest", "--out", released / "back"]
    return main([str(flag) for flag in flags])


def test_there_and_back(released, capsys):
    assert main(command(released)) == 0
    output = capsys.readouterr().out
    assert "latest_G.pth: 208 tensors = 192 variables set + 16 batch counters" in output
    assert "latest_D.pth: 130 tensors = 130 variables set" in output
    model = open_run_dir(released / "converted")
    assert model.legend.class_names[:2] == ("unlabelled", "thing 0")
    assert model.legend.label_ids == {8: 0, **{i: i + 1 for i in range(8)}}
    generator = model.load_generator()
    expected = load_released(released / "released", "latest").ema_generator
    label_map, noise = tf.zeros((1, 32, 64), tf.int32), tf.ones((1, generator.noise_channels))
    np.testing.assert_array_equal(generator(label_map, noise), expected(label_map, noise))

    assert convert_back(released) == 0
    assert {p.name for p in released.iterdir()} == {"released", "names.json", "converted", "back"}
    for part in ("G", "EMA", "D"):
        states = [
            read_state_dict(released / place / "models" / f"latest_{part}.pth")
            for place in ("released", "back")
        ]
        assert set(states[0]) == set(states[1])
        for name, array in states[0].items():
            assert states[1][name].dtype == array.dtype
            np.testing.assert_array_equal(states[1][name], array, err_msg=name)


def test_pytorch_reads_what_is_written(tmp_path, rng):
    torch = pytest.importorskip("torch")
    state = {
        "kernel": rng.normal(size=(2, 3, 1, 4)).astype(np.float32),
        "transposed": rng.normal(size=(2, 3)).astype(np.float32).T,
        "count": np.array(2**40, np.int64),
    }
    write_state_dict(tmp_path / "a.pth", state.items())
    for weights_only in (True, False):
        read = torch.load(tmp_path / "a.pth", weights_only=weights_only)
        assert list(read) == list(state)
        for name, array in state.items():
            np.testing.assert_array_equal(read[name].numpy(), array)


def fails(capsys, arguments, *texts):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    for text in texts:
        assert text in error


def test_bad_input(released, capsys):
    nothing = sorted(released.iterdir())
    arguments = command(released, released=released / "missing")
    fails(capsys, arguments, "must hold latest_G.pth, here or in models/")
    arguments = command(released, dataset="ade20k", class_names=None)
    fails(capsys, arguments, "the 151 classes of --dataset ade20k", "Received: 9")
    fails(capsys, command(released, out="released"), "--out must be a new or an empty directory")
    path = released / "released" / "models" / "latest_EMA.pth"
    state = read_state_dict(path)
    state.pop("fc.bias")
    write_state_dict(path, state.items())
    fails(capsys, command(released), "latest_EMA.pth", "variable without a tensor: fc.bias")
    assert sorted(released.iterdir()) == nothing  # no half-written result


class Attack:
    def __reduce__(self):
        import os

        return os.system, ("touch hacked",)


def test_a_pickle_that_runs_code_is_refused(released, capsys, monkeypatch):
    monkeypatch.chdir(released)
    path = released / "released" / "models" / "latest_G.pth"
    path.write_bytes(pickle.dumps(Attack()))
    fails(capsys, command(released), "latest_G.pth: refused: the pickle asks for")
    assert not (released / "hacked").exists()


@pytest.mark.parametrize(
    "flags",
    [["--released", "a", "--out", "b"], ["--released", "a", "--out", "b", "--dataset", "folder"]],
)
def test_arguments_that_do_not_go_together(flags, capsys):
    with pytest.raises(SystemExit) as stop:
        main(flags)
    assert stop.value.code == 2
    assert "error: --" in capsys.readouterr().err


@pytest.mark.slow
def test_full_width_there_and_back(shared, tmp_path, rng):
    """Made-up weights in the layout of the released ADE20K model."""
    layouts = json.loads((shared / "parity" / "released_layout.json").read_text())["ade20k"]
    models = tmp_path / "released" / "models"
    models.mkdir(parents=True)

    def made_up(layout):
        for name, shape in layout.items():
            if name.endswith("num_batches_tracked"):
                yield name, np.array(rng.integers(1000), np.int64)
            else:
                yield name, rng.standard_normal(shape, np.float32)

    for part, kind in (("G", "G"), ("EMA", "G"), ("D", "D")):
        write_state_dict(models / f"latest_{part}.pth", made_up(layouts[kind]))
    assert main(command(tmp_path, dataset="ade20k", class_names=None)) == 0
    assert convert_back(tmp_path) == 0
    for part in ("G", "EMA", "D"):
        states = [
            read_state_dict(tmp_path / place / "models" / f"latest_{part}.pth")
            for place in ("released", "back")
        ]
        assert set(states[0]) == set(states[1])
        for name, array in states[0].items():
            np.testing.assert_array_equal(states[1][name], array, err_msg=name)
