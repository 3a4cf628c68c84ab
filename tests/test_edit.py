"""The command that redraws a part: its files and its errors."""

import numpy as np
import pytest
from PIL import Image

from oasis_tf.edit import main

LABEL_MAP = np.ones((64, 96), int)
LABEL_MAP[30:] = 2


pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture
def labels(tmp_path):
    Image.fromarray((LABEL_MAP - 1).astype(np.uint8)).save(tmp_path / "map.png")
    return tmp_path / "map.png"


def command(toy_run, labels, *flags):
    out = labels.parent / "out"
    return ["--model", str(toy_run), "--labels", str(labels), "--out", str(out), *flags]


def read(path):
    return np.asarray(Image.open(path))


def test_resampling_a_class(toy_run, toy_synthesizer, labels, capsys):
    flags = ["--seed", "3", "--resample", "sea", "--samples", "2"]
    assert main(command(toy_run, labels, *flags)) == 0
    out = labels.parent / "out"
    expected = toy_synthesizer.edit(LABEL_MAP, seed=3, classes=["sea"], samples=2)
    np.testing.assert_array_equal(read(out / "map_seed3.png"), expected.original)
    for k in range(2):
        picture = read(out / f"map_seed3_edit{k:03d}_seed{4 + k}.png")
        np.testing.assert_array_equal(picture, expected.images[k])
    strip = read(out / "map_seed3_strip.png")
    assert strip.shape[1] > 4 * 96 and str(out / "map_seed3_strip.png") in capsys.readouterr().out
    assert len(list(out.iterdir())) == 4


def test_a_mask_and_another_class(toy_run, toy_synthesizer, labels):
    mask = np.zeros((64, 96), np.uint8)
    mask[10:20, 10:50] = 255
    Image.fromarray(mask).save(labels.parent / "mask.png")
    flags = ["--mask", str(labels.parent / "mask.png"), "--to_class", "sand"]
    assert main(command(toy_run, labels, *flags)) == 0
    expected = toy_synthesizer.edit(LABEL_MAP, mask=mask, to_class="sand")
    picture = read(labels.parent / "out" / "map_seed0_edit000_seed0.png")
    np.testing.assert_array_equal(picture, expected.images[0])


def test_a_mask_of_the_whole_picture_is_noticed(toy_run, labels, capsys):
    Image.fromarray(np.full((64, 96), 255, np.uint8)).save(labels.parent / "mask.png")
    flags = ["--mask", str(labels.parent / "mask.png")]
    assert main(command(toy_run, labels, *flags)) == 0
    out = capsys.readouterr().out
    # Said before it is drawn.
    assert out.startswith("mask      6144 of 6144 pixels, almost the whole picture: ")
    # A brush on a transparent layer, whose hidden colour is white.
    mask = np.full((64, 96, 4), 255, np.uint8)
    mask[10:, ..., 3] = 0
    Image.fromarray(mask).save(labels.parent / "mask.png")
    assert main(command(toy_run, labels, *flags)) == 0
    assert "960 of 6144 pixels\n" in capsys.readouterr().out


def test_what_cannot_be_written_is_told_before_drawing(toy_run, labels, capsys, monkeypatch):
    def draw(*_, **__):
        raise AssertionError("it was drawn")

    monkeypatch.setattr("oasis_tf.sampling.synthesizer.Synthesizer.edit", draw)
    out = labels.parent / "out"
    for name in ("map_seed0.png", "map_seed0_strip.png"):
        (out / name).mkdir(parents=True)
    assert main(command(toy_run, labels, "--resample", "sea")) == 2
    error = capsys.readouterr().err
    assert "map_seed0.png: Is a directory" in error
    assert "map_seed0_strip.png: Is a directory" in error


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--resample", "sea,skie"], "'skie'; the nearest: sky"),
        (["--resample", "sand"], "Received: sand; it has sky, sea"),
        (["--resample", "sea", "--to_class", "see"], "'see'; the nearest: sea"),
        (["--resample", "sea", "--seed", "-4"], "--seed must be in"),
        (["--mask", "missing.png"], "missing.png must be a complete, readable picture"),
    ],
)
def test_bad_input(toy_run, labels, capsys, flags, message):
    assert main(command(toy_run, labels, *flags)) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_a_mask_of_another_size(toy_run, labels, capsys):
    Image.fromarray(np.full((64, 95), 255, np.uint8)).save(labels.parent / "mask.png")
    assert main(command(toy_run, labels, "--mask", str(labels.parent / "mask.png"))) == 2
    assert "the size of the label map, 64x96. Received: 64x95" in capsys.readouterr().err


def test_a_region_must_be_given(toy_run, labels, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command(toy_run, labels))
    assert stop.value.code == 2
    assert "one of the arguments --resample --mask is required" in capsys.readouterr().err
