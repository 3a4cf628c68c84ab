"""The command on a directory as training leaves it."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf import export
from oasis_tf.config import save_config
from oasis_tf.serving.client import Client
from oasis_tf.serving.exporting.compare_engines import Differences
from oasis_tf.serving.exporting.model_card import model_card
from oasis_tf.training.chosen_by import ChosenBy
from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info
from tests.serving.running import serving


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture
def model_dir(generator, tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    info = toy_info()
    save_config(path, info.config, {**info.legend.to_json(), "shards": {}})
    checkpoint = tf.train.Checkpoint(
        ema_generator=generator,
        step=tf.Variable(400, dtype=tf.int64),
        best_score=tf.Variable(0.125),
    )
    manager = tf.train.CheckpointManager(checkpoint, str(path / "best"), max_to_keep=1)
    manager.save(400)
    return path


def run(*arguments):
    return export.main(list(map(str, arguments)))


@pytest.mark.slow
def test_exported_served_and_called(generator, model_dir, tmp_path, capsys):
    out = tmp_path / "saved_models/toy"
    assert run("--model", model_dir, "--out", out) == 0
    printed = capsys.readouterr()
    assert str(out / "1") in printed.out
    assert f"--model_base_path {out}" in printed.out
    content = json.loads((out / "1/assets.extra/model.json").read_text())
    assert content["scores"]["training step"] == 400
    assert 0.125 in content["scores"].values()

    with serving(out, tmp_path) as server:
        client = Client(server.url, "toy")
        assert client.describe() == content
        label_map = np.zeros((64, 96), np.int32)
        label_map[:, 40:] = 3
        picture = client.synthesize(label_map, seed=5)
        assert picture.shape == (64, 96, 3)
        np.testing.assert_array_equal(
            picture, client.synthesize(label_map, seed=np.full(label_map.shape, 5))
        )
        mask = label_map == 3
        edited = client.edit(label_map, mask, seed=5, edit_seed=6)
        assert np.abs(edited.astype(int) - picture)[mask].max() > 5
        np.testing.assert_array_equal(
            edited, client.synthesize(label_map, seed=np.where(mask, 6, 5))
        )


@pytest.mark.parametrize(
    "state, kept, title, score",
    [
        ('["score/miou", null]', 0.125, "mIoU by the discriminator, best of the run", 0.125),
        ('"score/miou"', 0.125, "mIoU by the discriminator, best of the run", 0.125),
        (None, 0.125, "mIoU by the discriminator, best of the run", 0.125),
        ('["metrics/miou", "a1"]', 0.5, "mIoU by the segmenter, best of the run", 0.5),
        (
            '["metrics/kid_by_segmenter", null]',
            -0.25,
            "kid_by_segmenter (lower is better), best of the run",
            0.25,
        ),
        # KID's estimate may be below zero.
        ('"metrics/kid"', 0.25, "kid (lower is better), best of the run", -0.25),
        ('["score/miou", null]', -np.inf, None, None),
    ],
)
def test_the_card_names_the_score_that_chose(tmp_path, state, kept, title, score):
    step, best = tf.Variable(400, dtype=tf.int64), tf.Variable(kept, dtype=tf.float32)
    parts = {}
    if state is not None:
        parts["chosen_by"] = ChosenBy()
        parts["chosen_by"].serialize = lambda: state
    path = tf.train.Checkpoint(step=step, best_score=best, **parts).write(str(tmp_path / "c"))
    expected = {"training step": 400.0}
    if title is not None:
        expected[title] = score
    scores = export._scores(path)
    assert scores == expected
    card = model_card(toy_info(scores=scores), "toy")
    assert "| training step | 400 |" in card
    if title is not None:
        assert f"| {title} | {score:.4g} |" in card


@pytest.mark.parametrize("kind, suffix", [("onnx", ".onnx"), ("litert", ".tflite")])
def test_a_file_of_another_engine(model_dir, tmp_path, capsys, monkeypatch, kind, suffix):
    given = {}

    def write(generator, info, path, *, weights):
        path.write_bytes(b"123")
        given.update(classes=generator.num_classes, scores=info.scores, weights=weights)
        return Differences(engine=1e-6, trained=0.0025, mean=0.0004)

    pytest.importorskip("onnx" if kind == "onnx" else "ai_edge_litert", reason=f"NO {kind}")
    module = importlib.import_module(f"oasis_tf.serving.exporting.{kind}_file")
    monkeypatch.setattr(module, f"write_{kind}", write)
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: True)
    out = tmp_path / f"toy{suffix}"
    assert run("--model", model_dir, "--out", out, "--format", kind, "--weights", "float16") == 0
    printed = capsys.readouterr().out
    assert f"{out}, 0.0 MB" in printed and "0.0025" in printed and "0.0004 on average" in printed
    assert given["classes"] == CLASSES and given["weights"] == "float16"
    assert given["scores"]["training step"] == 400


@pytest.mark.parametrize("given", [True, False])
def test_a_page(model_dir, tmp_path, capsys, monkeypatch, given):
    pytest.importorskip("onnx", reason="NO ONNX: the page is not tested")
    from oasis_tf.serving.exporting import onnxruntime_web, web_page

    def write(generator, info, directory, package, *, weights):
        assert generator.num_classes == CLASSES and weights == "float16"
        directory.mkdir()
        (directory / "size").write_bytes(package.read_bytes() * 500_000)
        return Differences(engine=1e-6, trained=0.0025, mean=0.0004)

    def fetch(directory):
        path = Path(directory) / "fetched"
        path.write_bytes(b"1234")
        return path

    monkeypatch.setattr(web_page, "write_web_page", write)
    monkeypatch.setattr(onnxruntime_web, "fetch_package", fetch)
    out, package = tmp_path / "my page", tmp_path / "package.tgz"
    package.write_bytes(b"12")
    flags = ("--onnxruntime_web", package) if given else ()
    arguments = ("--model", model_dir, "--out", out, "--format", "web", "--weights", "float16")
    assert run(*arguments, *flags) == 0
    printed = capsys.readouterr()
    assert f"{out}/index.html, {1 if given else 2}.0 MB" in printed.out
    assert f"python -m http.server --bind 127.0.0.1 --directory '{out}'" in printed.out
    assert ("with npm" in printed.err) is not given


def test_a_saved_model_is_exported_once_more(tmp_path, capsys, monkeypatch):
    """The one that is in git."""
    pytest.importorskip("onnx", reason="NO ONNX: the export is not tested")
    from oasis_tf.serving.exporting import onnx_file

    def write(generator, info, path, *, weights):
        path.write_bytes(b"123")
        assert generator.num_classes == info.legend.num_classes == 34
        assert info.scores["training step"] > 1000
        return Differences(engine=1e-6, trained=1e-6, mean=1e-7)

    monkeypatch.setattr(onnx_file, "write_onnx", write)
    demo = Path(__file__).parents[1] / "saved_models" / "demo"
    out = tmp_path / "demo.onnx"
    assert run("--model", demo, "--out", out, "--format", "onnx") == 0
    assert f"model: {demo / '1'} (SavedModel)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, messages",
    [
        (("--format", "onnx", "--out", "toy"), ["must be a file NAME.onnx", "toy"]),
        (("--format", "litert", "--out", "toy.onnx"), ["must be a file NAME.tflite"]),
        (("--format", "onnx", "--out", "there.onnx"), ["there.onnx, a directory"]),
        (("--out", "toy.tflite"), ["must be a directory for --format saved_model"]),
        (
            ("--format", "onnx", "--out", "toy", "--precision", "bfloat16"),
            ["must be a file NAME.onnx", "--precision bfloat16 is for --format saved_model"],
        ),
        (("--weights", "float16", "--out", "toy"), ["--weights float16 is for --format onnx"]),
        (
            ("--format", "web", "--out", "toy.onnx", "--precision", "bfloat16"),
            [
                "must be a directory for --format web",
                "--precision bfloat16 is for --format saved_model",
            ],
        ),
        (("--format", "web", "--out", "."), ["new or an empty directory", "., which has 1 in it"]),
        (
            ("--onnxruntime_web", "web.tgz", "--out", "toy"),
            [
                "--onnxruntime_web must be a file. Received: web.tgz, which is not there",
                "--onnxruntime_web is for --format web. Received: --format saved_model",
            ],
        ),
        (
            ("--format", "onnx", "--out", "toy.onnx", "--jit_compile"),
            ["--jit_compile is for --format saved_model. Received: --format onnx"],
        ),
    ],
)
def test_what_a_format_does_not_take(tmp_path, monkeypatch, capsys, flags, messages):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.onnx").mkdir()
    assert run("--model", tmp_path, *flags) == 2
    told = capsys.readouterr().err
    assert all(message in told for message in messages)
    assert [path.name for path in tmp_path.iterdir()] == ["there.onnx"]


def test_a_card_in_a_directorys_place(tmp_path, capsys):
    (tmp_path / "toy.tflite.md").mkdir()
    assert run("--model", tmp_path, "--out", tmp_path / "toy.tflite", "--format", "litert") == 2
    assert "toy.tflite.md. Received: a directory there" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["where this command was started", "a mount point"])
def test_a_page_takes_the_name_of_no_directory_in_use(tmp_path, monkeypatch, capsys, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export.os.path, "ismount", lambda path: "mount" in reason)
    assert run("--model", "toy", "--out", tmp_path, "--format", "web") == 2
    assert f"{tmp_path}, {reason}: name a directory in it" in capsys.readouterr().err


def test_a_page_is_written_beside_what_a_link_means(model_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: True)
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "link").symlink_to(tmp_path / "file" / "page")
    assert run("--model", model_dir, "--out", tmp_path / "link", "--format", "web") == 2
    assert "the directory of --out must be a writable" in capsys.readouterr().err


@pytest.mark.parametrize(
    "kind, suffix, module",
    [
        ("onnx", ".onnx", "onnxruntime"),
        ("litert", ".tflite", "ai_edge_litert"),
        ("web", "", "onnxruntime"),
    ],
)
def test_a_missing_package_is_one_line(tmp_path, monkeypatch, capsys, kind, suffix, module):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: name != module or None)
    out = tmp_path / f"toy{suffix}"
    assert run("--model", tmp_path, "--out", out, "--format", kind) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    extra = "onnx" if kind == "web" else kind
    assert f'pip install -e ".[{extra}]"' in told and f"{module} not installed" in told


def test_no_such_model(tmp_path, capsys):
    assert run("--model", tmp_path / "nothing", "--out", tmp_path / "out") == 2
    assert "nothing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_checkpoint(model_dir, tmp_path, capsys):
    (model_dir / "best").rename(model_dir / "worst")
    assert run("--model", model_dir, "--out", tmp_path / "out") == 2
    assert "must hold a checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("pixels", [64 * 128 - 1, 0, -5, 2**53, 10**30])
def test_pictures_of_the_training_must_be_allowed(model_dir, tmp_path, capsys, pixels):
    assert run("--model", model_dir, "--out", tmp_path / "out", "--max_pixels", pixels) == 2
    assert "--max_pixels must" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["file/toy", "file/toy.onnx"])
def test_a_place_that_cannot_be_written(model_dir, tmp_path, capsys, monkeypatch, out):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: True)
    (tmp_path / "file").write_text("not a directory")
    kind = "onnx" if out.endswith("onnx") else "saved_model"
    assert run("--model", model_dir, "--out", tmp_path / out, "--format", kind) == 2
    told = capsys.readouterr().err
    assert "must be a writable directory" in told and str(tmp_path / "file") in told


def test_unknown_precision(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run("--model", tmp_path, "--out", tmp_path, "--precision", "int4")
    assert stop.value.code == 2
    assert "--precision" in capsys.readouterr().err
