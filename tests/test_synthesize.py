"""The command: its files, and the good ones among bad ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oasis_tf.synthesize import main
from tests.toy_model import LEGEND

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture
def labels(tmp_path, rng):
    """Three label maps as the data set stores them: its id is ours minus one, 255 our 0."""
    (tmp_path / "labels").mkdir()
    for name in "abc":
        ids = rng.choice([0, 1, 2, 255], (2, 3)).astype(np.uint8).repeat(32, 0).repeat(32, 1)
        Image.fromarray(ids).save(tmp_path / "labels" / f"{name}.png")
    return tmp_path / "labels"


def command(toy_run, labels, out, *flags):
    return ["--model", str(toy_run), "--labels", str(labels), "--out", str(out), *flags]


def names(out):
    return sorted(path.name for path in out.iterdir())


def test_a_directory_and_one_alone_give_the_same_files(toy_run, labels, tmp_path, capsys):
    many, one = tmp_path / "many", tmp_path / "one"
    assert main(command(toy_run, labels, many, "--samples", "3", "--seed", "7")) == 0
    output = capsys.readouterr()
    assert f"9 in {many}" in output.out and "contact_sheet.png" in output.out
    assert "9/9" in output.err  # the progress bar
    expected = [f"{x}_sample{k:03d}_seed{7 + k}.png" for x in "abc" for k in range(3)]
    assert names(many) == [*expected, "contact_sheet.png"]
    assert main(command(toy_run, labels / "b.png", one, "--seed", "9")) == 0
    alone = (one / "b_sample000_seed9.png").read_bytes()
    assert alone == (many / "b_sample002_seed9.png").read_bytes()


def test_the_files_hold_what_the_library_draws(toy_run, toy_synthesizer, labels, tmp_path):
    assert main(command(toy_run, labels / "a.png", tmp_path / "out", "--per_class")) == 0
    ids = np.asarray(Image.open(labels / "a.png")).astype(int)
    label_map = np.where(ids == 255, 0, ids + 1)
    expected = toy_synthesizer.synthesize(label_map, per_class=True)[0]
    picture = np.asarray(Image.open(tmp_path / "out" / "a_sample000_seed0.png"))
    np.testing.assert_array_equal(picture, expected)


def test_colours_and_sizes(toy_run, labels, tmp_path):
    ids = np.asarray(Image.open(labels / "a.png")).astype(int)
    label_map = np.where(ids == 255, 0, ids + 1)
    colours = np.array(LEGEND.palette, np.uint8)[label_map]
    Image.fromarray(colours).save(tmp_path / "a.png")
    for source, out in ((labels / "a.png", "ids"), (tmp_path / "a.png", "colours")):
        arguments = command(toy_run, source, tmp_path / out, "--size", "50", "70")
        assert main(arguments) == 0
    name = "a_sample000_seed0.png"
    assert Image.open(tmp_path / "ids" / name).size == (70, 50)
    assert (tmp_path / "ids" / name).read_bytes() == (tmp_path / "colours" / name).read_bytes()


def test_bad_files_among_good_ones(toy_run, labels, tmp_path, capsys):
    (labels / "bad.png").write_bytes(b"no picture")
    Image.fromarray(np.full((32, 32), 77, np.uint8)).save(labels / "d.png")
    (labels / "notes.txt").write_text("not looked at")
    assert main(command(toy_run, labels, tmp_path / "out")) == 2
    error = capsys.readouterr().err
    assert "error: 2 of 5 label maps could not be drawn:" in error
    assert f"{labels / 'bad.png'} must be a complete, readable picture" in error
    assert "d.png: the ids of a label map must be those of the model's 5 classes" in error
    assert "id 77: 1024 pixels" in error
    assert "Traceback" not in error
    assert [name[0] for name in names(tmp_path / "out")] == ["a", "b", "c", "c"]


def test_files_that_cannot_be_written(toy_run, labels, tmp_path, capsys):
    long, out = 240 * "m", tmp_path / "out"
    (labels / "a.png").rename(labels / f"{long}.png")
    (out / "b_sample000_seed0.png").mkdir(parents=True)
    assert main(command(toy_run, labels, out)) == 2
    output = capsys.readouterr()
    assert f"1 in {out}" in output.out and "contact_sheet.png" in output.out
    assert "error: 2 of 3 label maps could not be drawn:" in output.err
    assert f"{long}_sample000_seed0.png: File name too long" in output.err
    assert "b_sample000_seed0.png: Is a directory" in output.err
    assert "Traceback" not in output.err
    assert names(out) == ["b_sample000_seed0.png", "c_sample000_seed0.png", "contact_sheet.png"]


def test_pictures_beside_their_label_maps_are_not_read(toy_run, labels, capsys):
    expected = [f"{x}{end}.png" for x in "abc" for end in ("", "_sample000_seed0")]
    for run in range(2):
        assert main(command(toy_run, labels, labels)) == 0
        output = capsys.readouterr()
        assert f"3 in {labels}" in output.out
        # Three pictures and the contact sheet.
        assert ("4 pictures of earlier runs" in output.out) == (run == 1)
        assert names(labels) == [*expected, "contact_sheet.png"]


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--seed", "-1"], "--seed must be in 0..2147483647"),
        (["--samples", "0"], "samples must be 1 or more"),
        (["--labels", "missing"], "--labels must be a file or a directory. Received: missing"),
        (["--model", "missing"], "Received: missing, no such directory"),
        (["--palette", "missing.json"], "missing.json must be a readable class list"),
        (["--size", "5000", "5000"], "at most 2097152 pixels"),
    ],
)
def test_bad_input(toy_run, labels, tmp_path, capsys, flags, message):
    assert main(command(toy_run, labels / "a.png", tmp_path / "out", *flags)) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (tmp_path / "out").exists() or not names(tmp_path / "out")


def test_sub_directories_are_mirrored(toy_run, labels, tmp_path):
    (labels / "city").mkdir()
    (labels / "b.png").rename(labels / "city" / "a.png")
    Image.open(labels / "a.png").save(labels / "city" / "c.tif")
    (labels / "c.png").unlink()
    (labels / "linked").symlink_to(labels / "city")
    (labels / "loop").symlink_to(labels)
    (labels / "._a.png").write_bytes(b"\0\5\x16\7")
    (labels / ".ipynb_checkpoints").mkdir()
    (labels / ".ipynb_checkpoints" / "a.png").write_bytes((labels / "a.png").read_bytes())
    out = labels / "drawn"  # a second call does not take the first one's pictures for label maps
    for _ in range(2):
        assert main(command(toy_run, labels, out)) == 0
        drawn = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png"))
        assert drawn == [
            "a_sample000_seed0.png",
            "city/a_sample000_seed0.png",
            "city/c_sample000_seed0.png",
            "contact_sheet.png",
            "linked/a_sample000_seed0.png",
            "linked/c_sample000_seed0.png",
        ]
    of_png, of_tiff = (out / name for name in ("a_sample000_seed0.png", drawn[2]))
    assert of_png.read_bytes() == of_tiff.read_bytes()


def test_two_label_maps_of_one_name(toy_run, labels, tmp_path, capsys):
    Image.open(labels / "c.png").save(labels / "c.tif")
    assert main(command(toy_run, labels, tmp_path / "out")) == 2
    assert "must not hold two files of one name" in capsys.readouterr().err


def test_an_empty_directory(toy_run, tmp_path, capsys):
    assert main(command(toy_run, tmp_path, tmp_path / "out")) == 2
    assert "--labels must hold PNG or TIFF files" in capsys.readouterr().err


def test_out_is_a_file(toy_run, labels, capsys):
    assert main(command(toy_run, labels, labels / "a.png")) == 2
    assert "--out must be a writable directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_process_of_its_own(toy_run, labels, tmp_path):
    """Nothing that the tests have set is needed, and the pictures are the same there."""
    arguments = command(toy_run, labels / "a.png", tmp_path / "process")
    process = subprocess.run(
        [sys.executable, "-m", "oasis_tf.synthesize", *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr and "pictures" in process.stdout
    assert main(command(toy_run, labels / "a.png", tmp_path / "here")) == 0
    there, here = (
        np.asarray(Image.open(tmp_path / out / "a_sample000_seed0.png")).astype(int)
        for out in ("process", "here")
    )
    # The tests switch TensorFlow's rewriting of graphs off, which rounds some sums otherwise.
    assert np.abs(there - here).max() <= 1
