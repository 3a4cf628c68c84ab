"""The command that goes from seed to seed: a row and an animation."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from oasis_tf.interpolate import main

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


def test_webp_and_row(toy_run, toy_synthesizer, labels):
    flags = ["--seeds", "3", "8", "--frames", "4", "--classes", "sea", "--format", "webp"]
    assert main(command(toy_run, labels, *flags)) == 0
    out = labels.parent / "out"
    assert {p.name for p in out.iterdir()} == {"map_seed3_to_seed8.png", "map_seed3_to_seed8.webp"}
    expected = toy_synthesizer.interpolate(LABEL_MAP, seed=3, to_seed=8, frames=4, classes=["sea"])
    with Image.open(out / "map_seed3_to_seed8.webp") as animation:
        frames = [np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(animation)]
    assert len(frames) == 6  # there and back, the ends once
    for frame, k in zip(frames, (0, 1, 2, 3, 2, 1), strict=True):
        np.testing.assert_array_equal(frame, expected[k])


def test_gif(toy_run, labels):
    assert main(command(toy_run, labels, "--frames", "3")) == 0
    with Image.open(labels.parent / "out" / "map_seed0_to_seed1.gif") as animation:
        assert animation.n_frames == 4
        assert animation.size == (96, 64)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--frames", "1"], "--frames must be 2 or more. Received: 1"),
        (["--seeds", "0", "-1"], "--seeds must be in"),
        (["--classes", "sea#2"], "one of the 1 of its class"),
    ],
)
def test_bad_input(toy_run, labels, capsys, flags, message):
    assert main(command(toy_run, labels, *flags)) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
