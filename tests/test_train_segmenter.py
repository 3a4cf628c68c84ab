"""The command: what it leaves, and bad input."""

import json

import numpy as np
import pytest

from data_pipeline.reading import reader
from oasis_tf.segmenters.features import SegmenterFeatures
from oasis_tf.segmenters.segmenter import load_segmenter
from oasis_tf.train_segmenter import main
from tests.toy_data import build_records

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def command(records, out, *flags):
    small = ["--steps", "2", "--batch_size", "2", "--base_channels", "1"]
    return ["--data_dir", str(records), "--out", str(out), *small, *flags]


def test_what_it_leaves(records, tmp_path, capsys):
    out = tmp_path / "segmenter"
    assert main(command(records, out)) == 0
    output = capsys.readouterr()
    assert "2/2" in output.err and "mIoU" in output.out and "oasis_tf.evaluate" in output.out
    assert sorted(path.name for path in out.iterdir()) == ["model.keras", "segmenter.json"]
    content = json.loads((out / "segmenter.json").read_text())
    assert content["class_names"] == ["sky", "sea", "sand"] and content["steps"] == 2
    assert SegmenterFeatures(out)(np.zeros((1, 64, 128, 3), np.uint8)).shape == (1, 8)
    segmenter = load_segmenter(out)
    table = segmenter.table(("unlabelled", "sky", "sea", "sand"))
    answer = segmenter(np.zeros((1, 64, 128, 3), np.uint8), table)
    assert answer.shape == (1, 64, 128) and 1 <= answer.min() <= answer.max() <= 3


@pytest.fixture
def interrupt_after(monkeypatch):
    """Makes training stop by Ctrl-C after so many steps, while it waits for a batch."""
    train_dataset = reader.train_dataset

    def patch(count):
        def interrupted(*arguments, **options):
            yield from train_dataset(*arguments, **options).take(count)
            raise KeyboardInterrupt

        monkeypatch.setattr(reader, "train_dataset", interrupted)

    return patch


def test_interrupted_it_keeps_what_it_has(records, tmp_path, capsys, interrupt_after):
    interrupt_after(3)
    out = tmp_path / "segmenter"
    assert main(command(records, out, "--steps", "50")) == 130
    output = capsys.readouterr()
    assert "interrupted at step 3 of 50; what was learnt is kept" in output.err
    assert str(out) in output.out and "Traceback" not in output.err
    assert json.loads((out / "segmenter.json").read_text())["steps"] == 3
    segmenter = load_segmenter(out)
    table = segmenter.table(("unlabelled", "sky", "sea", "sand"))
    answer = segmenter(np.zeros((1, 64, 128, 3), np.uint8), table)
    assert answer.shape == (1, 64, 128) and 1 <= answer.min() <= answer.max() <= 3
    assert SegmenterFeatures(out)(np.zeros((1, 64, 128, 3), np.uint8)).shape == (1, 8)


def test_the_interrupted_network_has_learnt(records, tmp_path, interrupt_after):
    """Networks that began alike and stopped at other steps differ."""
    import keras

    def weights(out):
        model = keras.models.load_model(out / "model.keras", compile=False)
        return model.get_layer("logits").kernel.numpy()

    kernels = []
    for count in (1, 3):
        interrupt_after(count)
        assert main(command(records, tmp_path / str(count), "--steps", "50")) == 130
        kernels.append(weights(tmp_path / str(count)))
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-4


def test_interrupted_before_the_first_step(records, tmp_path, capsys, interrupt_after):
    interrupt_after(0)
    out = tmp_path / "segmenter"
    assert main(command(records, out)) == 130
    error = capsys.readouterr().err
    assert f"interrupted before the first step; there is no segmenter in {out}" in error
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--data_dir", "missing"], "no complete data set in missing"),
        (["--steps", "0"], "--steps must be 1 or more. Received: 0"),
        (["--batch_size", "50"], "at least batch_size examples"),
    ],
)
def test_bad_input(records, tmp_path, capsys, flags, message):
    assert main(command(records, tmp_path / "out", *flags)) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "out" / "segmenter.json").exists()


def test_out_is_a_file(records, tmp_path, capsys):
    (tmp_path / "out").touch()
    assert main(command(records, tmp_path / "out")) == 2
    assert "--out must be a writable directory" in capsys.readouterr().err
