"""Loading is total or fails, and says what is left."""

import shutil

import numpy as np
import pytest

from oasis_tf.checkpoints import released
from oasis_tf.checkpoints.name_map import discriminator_rows, from_kernel, generator_rows, to_kernel
from oasis_tf.checkpoints.released import load_released
from oasis_tf.checkpoints.torch_file import TorchFileError
from tests.parity.conftest import BUNDLED


@pytest.fixture
def directory(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    for part, name in (("G", "G"), ("D", "D"), ("EMA", "G")):
        shutil.copy(BUNDLED / "wide" / f"latest_{name}.pth", models / f"7_{part}.pth")
    return tmp_path


def test_sizes_are_inferred_and_every_variable_is_set(directory):
    checkpoint = load_released(directory, which=7)
    assert checkpoint.generator.num_classes == 9
    assert checkpoint.generator.base_channels == 2
    assert checkpoint.generator.noise_channels == 8
    assert checkpoint.discriminator.base_channels == 4
    for model, rows in (
        (checkpoint.generator, generator_rows(checkpoint.generator)),
        (checkpoint.discriminator, discriminator_rows(checkpoint.discriminator)),
    ):
        assert sorted(id(v) for _, v, _ in rows) == sorted(id(v) for v in model.variables)
        assert len({name for name, _, _ in rows}) == len(rows)
    assert checkpoint.report.splitlines()[0] == (
        "7_G.pth: 208 tensors = 192 variables set + 16 batch counters not needed"
    )


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s: s.pop("body.3.conv_1.bias"), "variable without a tensor: body.3.conv_1.bias"),
        (lambda s: s.update(extra=np.zeros(3)), "tensor without a variable: extra"),
        (
            lambda s: s.update({"body.3.conv_1.weight_v": np.zeros(5)}),
            r"body.3.conv_1.weight_v: shape must become \(\d+,\). Received: \(5,\)",
        ),
        (lambda s: s.pop("fc.weight"), "must hold fc.weight of rank 4"),
        (
            lambda s: s.update({"fc.weight": np.zeros((32, 9, 3, 3))}),
            "more inputs than the discriminator's 9 classes. Received: 9",
        ),
    ],
)
def test_what_is_left_is_an_error(directory, monkeypatch, change, message):
    read = released.read_state_dict

    def changed(path):
        state = read(path)
        if path.name == "7_G.pth":
            change(state)
        return state

    monkeypatch.setattr(released, "read_state_dict", changed)
    with pytest.raises(ValueError, match=message):
        load_released(directory, which=7)


def test_missing_files_are_named(directory):
    with pytest.raises(TorchFileError, match="must hold best_G.pth, here or in models/"):
        load_released(directory)


def test_kernels_go_there_and_back(rng):
    kernel = rng.normal(size=(3, 3, 4, 5))
    np.testing.assert_array_equal(to_kernel(from_kernel(kernel)), kernel)
    assert from_kernel(kernel).shape == (5, 4, 3, 3)


def test_full_width_layouts_fit(shared, monkeypatch):
    """Every key and shape of the three released models has its place in our networks."""
    import json

    import keras

    from oasis_tf.models.discriminator import Discriminator
    from oasis_tf.models.generator import Generator

    # Millions of random numbers take seconds, and only shapes are looked at.
    zeros = keras.initializers.Zeros.__call__
    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
    layouts = json.loads((shared / "parity" / "released_layout.json").read_text())
    for layout in layouts.values():
        num_classes = layout["semantic_nc"]
        for part, rows in (
            ("G", generator_rows(Generator(num_classes))),
            ("D", discriminator_rows(Discriminator(num_classes))),
        ):
            wanted = {k for k in layout[part] if not k.endswith("num_batches_tracked")}
            assert {name for name, _, _ in rows} == wanted
            for name, variable, transform in rows:
                transformed = transform(np.broadcast_to(np.float32(0), layout[part][name]))
                assert transformed.shape == tuple(variable.shape), name
