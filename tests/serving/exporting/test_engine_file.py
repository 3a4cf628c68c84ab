"""What all files of other engines have in common, with an engine that costs nothing."""

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.serving.exporting import compare_engines as compare_module
from oasis_tf.serving.exporting import engine_file as module
from oasis_tf.serving.exporting.compare_engines import EngineDiffers
from oasis_tf.serving.exporting.engine_file import write_engine_file
from oasis_tf.serving.exporting.plain_generator import draw_plainly
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations
from tests.serving.exporting.toy_generator import toy_generator, toy_info


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(autouse=True)
def one_small_sample(monkeypatch):
    samples = compare_module._samples
    monkeypatch.setattr(compare_module, "_samples", lambda *sizes: list(samples(*sizes))[-1:])


def write(generator, path, *, weights="float32", off=0.0):
    """Writes a file with an engine that is `off` from TensorFlow."""
    kept = {}

    def write(arrays, metadata, path):
        kept.update(arrays=arrays, metadata=metadata)
        path.write_bytes(b"all of it")

    def open_file(path):
        assert path.read_bytes() == b"all of it"
        return lambda *given: (
            draw_plainly(kept["arrays"], TensorFlowOperations(), *map(tf.constant, given)) + off
        )

    kept["differences"] = write_engine_file(
        generator,
        toy_info(),
        path,
        weights=weights,
        engine="Abacus",
        write=write,
        open_file=open_file,
    )
    return kept


def test_the_card_tells_the_differences(generator, tmp_path):
    path = tmp_path / "new/toy.abacus"
    kept = write(generator, path, off=5e-5)
    assert kept["differences"].engine == pytest.approx(5e-5, rel=0.1)
    assert kept["differences"].trained == pytest.approx(5e-5, rel=0.2)
    assert sorted(p.name for p in path.parent.iterdir()) == ["toy.abacus", "toy.abacus.md"]
    card = (tmp_path / "new/toy.abacus.md").read_text()
    for words in (
        "exported for\nAbacus",
        "| largest difference from TensorFlow | 5e-05",
        "Licence",
    ):
        assert words in card


@pytest.mark.parametrize("off", [2e-4, np.nan])
def test_other_pictures_leave_no_file(generator, tmp_path, off):
    with pytest.raises(EngineDiffers, match="to 0.0001"):
        write(generator, tmp_path / "toy.abacus", off=off)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_there(generator, tmp_path):
    path = tmp_path / "toy.abacus"
    path.write_bytes(b"an older one")
    with pytest.raises(EngineDiffers):
        write(generator, path, off=1.0)
    assert [p.name for p in tmp_path.iterdir()] == ["toy.abacus"]
    assert path.read_bytes() == b"an older one"


def test_float16_is_held_to_its_own_numbers(generator, tmp_path):
    kept = write(generator, tmp_path / "toy.abacus", weights="float16")
    kernel = kept["arrays"].blocks[0].conv_0.kernel
    np.testing.assert_array_equal(kernel, kernel.astype(np.float16).astype(np.float32))
    engine, trained, mean = kept["differences"]
    assert engine < 1e-5 < 1e-4 < trained < 0.02
    assert 1e-5 < mean < trained / 3
    assert "weights in float16" in (tmp_path / "toy.abacus.md").read_text()
    assert kept["metadata"]["weights"] == '"float16"'


def test_int8_is_held_to_a_mean(generator, tmp_path, monkeypatch):
    path = tmp_path / "toy.abacus"
    kept = write(generator, path, weights="int8")
    kernel = kept["arrays"].blocks[0].conv_0.kernel
    assert max(len(np.unique(kernel[..., c])) for c in range(kernel.shape[-1])) < 256
    assert 1e-3 < kept["differences"].mean < module.INT8_TOLERANCE
    card = (tmp_path / "toy.abacus.md").read_text()
    assert "weights in int8" in card
    assert f"| mean difference from the trained network | {kept['differences'].mean:.2g} in" in card

    path.unlink()
    monkeypatch.setattr(module, "INT8_TOLERANCE", 1e-3)
    with pytest.raises(EngineDiffers, match="int8 must keep the pictures to 0.001"):
        write(generator, path, weights="int8")
    assert not path.exists()


def test_weights_beyond_float16(tmp_path):
    generator = toy_generator()
    generator.last.bias.assign([0.0, 1e5, 0.0])
    with pytest.raises(DataError, match="that float16 has. Received: 1e"):
        write(generator, tmp_path / "toy.abacus", weights="float16")
    assert list(tmp_path.iterdir()) == []
