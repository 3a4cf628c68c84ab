"""Both networks in Keras' own format: every variable, every argument, a whole file or none."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator

N, Z, H, W = 4, 3, 64, 128
LABEL_MAP = np.repeat(np.arange(2 * H * 2).reshape(2, H, 2) % 7 % N, W // 2, 2).astype(np.int32)
NOISE = np.linspace(-2, 2, 2 * Z, dtype=np.float32).reshape(2, Z)
IMAGE = np.sin(np.arange(2 * H * W * 3, dtype=np.float32)).reshape(2, H, W, 3)


def build(kind, **changes):
    """A network all of whose variables have values of their own, and what to call it with."""
    if kind == "generator":
        changes = dict(noise_channels=Z, hidden=6, gain=0.5, spade_gain=0.25, **changes)
        network, inputs = Generator(N, base_channels=2, **changes), (LABEL_MAP, NOISE)
    else:
        network, inputs = Discriminator(N, base_channels=1, gain=0.5, **changes), (IMAGE,)
    rng = np.random.default_rng(1)
    for variable in network.variables:
        value = rng.normal(0, 0.5, variable.shape)
        variable.assign(np.exp(value) if variable.path.endswith("variance") else value)
    return network, inputs


# Both derive from one class, which does the saving.
@pytest.mark.parametrize(
    "kind, dtype", [("generator", "mixed_bfloat16"), ("discriminator", "float32")]
)
def test_saved_and_loaded(tmp_path, kind, dtype):
    network, inputs = build(kind, dtype=dtype, rematerialize=True, name="painter")
    network.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    assert type(loaded) is type(network)
    assert loaded.get_config() == network.get_config()
    assert loaded.compute_dtype == network.compute_dtype
    assert loaded.name == "painter" and loaded.rematerialize
    assert len(loaded.variables) == len(network.variables) > 60
    for actual, expected in zip(loaded.variables, network.variables, strict=True):
        np.testing.assert_array_equal(actual.numpy(), expected.numpy())
    expected = network(*inputs).numpy()
    assert expected.std() > 0.1
    np.testing.assert_array_equal(loaded(*inputs), expected)
    assert [p.name for p in tmp_path.iterdir()] == ["x.keras"]
    # Now that both have been called.
    network.save(tmp_path / "y.keras")
    again = keras.saving.load_model(tmp_path / "y.keras")
    np.testing.assert_array_equal(again(*inputs), expected)


@pytest.mark.parametrize("kind", ["generator", "discriminator"])
def test_the_configuration_has_every_argument(kind):
    network, _ = build(kind)
    code = type(network).__init__.__code__
    arguments = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    assert set(arguments) <= set(network.get_config())
    again = type(network).from_config(network.get_config())
    assert again.get_config() == network.get_config()
    assert [v.shape for v in again.variables] == [v.shape for v in network.variables]


@pytest.mark.slow
def test_loaded_in_another_process(tmp_path):
    network, inputs = build("generator")
    network.save(tmp_path / "x.keras")
    np.savez(tmp_path / "given.npz", *inputs)
    program = (
        "import keras, numpy as np, oasis_tf.models.generator\n"
        "given = np.load('given.npz')\n"
        "network = keras.saving.load_model('x.keras')\n"
        "np.save('drawn.npy', network(given['arr_0'], given['arr_1']))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "drawn.npy"), network(*inputs), atol=1e-6)


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    network, _ = build("discriminator")
    (tmp_path / "x.keras").write_bytes(b"the old one")

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(network.last, "save_own_variables", fail)
    for name in ("x.keras", "y.keras"):
        with pytest.raises(OSError, match="no space left"):
            network.save(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["x.keras"]
    assert (tmp_path / "x.keras").read_bytes() == b"the old one"


def test_names_that_are_refused(tmp_path):
    network, _ = build("discriminator")
    with pytest.raises(ValueError, match='must end in ".keras". Received: .*x.h5'):
        network.save(tmp_path / "x.h5")
    (tmp_path / "x.keras").write_bytes(b"the old one")
    with pytest.raises(FileExistsError, match="Received: .*x.keras"):
        network.save(tmp_path / "x.keras", overwrite=False)
    with pytest.raises(OSError, match="nowhere"):
        network.save(tmp_path / "nowhere" / "x.keras")
    assert (tmp_path / "x.keras").read_bytes() == b"the old one"


def test_as_a_directory(tmp_path):
    network, inputs = build("discriminator")
    network.save(tmp_path / "x", zipped=False)
    loaded = keras.saving.load_model(tmp_path / "x")
    np.testing.assert_array_equal(tf.convert_to_tensor(loaded(*inputs)), network(*inputs))
