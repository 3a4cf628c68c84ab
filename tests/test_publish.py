"""A model published to a stand-in of the Hub, and used from there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import oasis_tf
from data_pipeline.errors import DataError
from oasis_tf import export, publish, serve, synthesize
from oasis_tf.hub.address import HubAddress
from oasis_tf.hub.checksums import checksums_of
from oasis_tf.sampling.saved_model_backend import INFORMATION
from tests.hub.stand_in import TOKEN, hub, stand_in  # noqa: F401  a fixture

yaml = pytest.importorskip("yaml", reason="NO PYYAML: pip install pyyaml")


EXPORTED = Path(__file__).parents[1] / "saved_models" / "demo"


@pytest.fixture
def onnx(tmp_path):
    (tmp_path / "demo.onnx.md").write_text("card")
    (tmp_path / "demo.onnx").write_bytes(b"onnx")
    return tmp_path / "demo.onnx"


def run(*arguments):
    return publish.main(list(map(str, arguments)))


def test_published_and_loaded(hub, onnx, capsys, monkeypatch):  # noqa: F811
    # A damaged one has a test of its own.
    monkeypatch.setattr(publish, "_open", lambda path: json.loads((path / INFORMATION).read_text()))
    assert run(EXPORTED, "ada/lakes", "--files", onnx) == 0
    printed = capsys.readouterr().out
    commit = hub.find("ada/lakes", "main")[0]
    assert "hf://ada/lakes\n" in printed and f"hf://ada/lakes@{commit}" in printed

    stored = hub.newest("ada/lakes")
    model = {
        path.relative_to(EXPORTED).as_posix(): path.read_bytes()
        for path in EXPORTED.rglob("*")
        if path.is_file()
    }
    assert stored.items() >= model.items()
    others = {".gitattributes", "README.md", "SHA256SUMS", "demo.onnx", "demo.onnx.md"}
    assert stored.keys() - model.keys() == others

    _, front, body = stored["README.md"].decode().split("---\n", 2)
    data = yaml.safe_load(front)
    assert data["license"] == "apache-2.0" and data["pipeline_tag"] == "image-to-image"
    assert data["library_name"] == "oasis-tf" and {"oasis", "onnx"} <= set(data["tags"])
    assert "# demo" in body and 'load("hf://ada/lakes")' in body and "| `demo.onnx` |" in body

    loaded = oasis_tf.load(f"hf://ada/lakes@{commit}")
    assert "lighthouse" in loaded.class_names and commit in loaded.source.title
    assert loaded.synthesize(np.full((32, 64), 3), seed=3).shape == (1, 32, 64, 3)


@pytest.mark.parametrize(
    "dataset, given, licence",
    [("lvis", None, "other"), ("lvis", "cc-by-4.0", "cc-by-4.0"), ("sample", "mit", "mit")],
)
def test_the_licence(dataset, given, licence):
    pytest.importorskip("huggingface_hub", reason="NO HUGGINGFACE_HUB")
    content = {"dataset": dataset}
    version = EXPORTED / "1"
    page = publish._readme(HubAddress("ada/lakes"), content, version, "1", [], given)
    assert f"\nlicense: {licence}\n" in page and f"training_data: {dataset}\n" in page


def test_commands_take_the_address(hub, tmp_path, capsys, monkeypatch):  # noqa: F811
    hub.commit("ada/broken", {"SHA256SUMS": b""})
    given = ["--model", "hf://ada/broken", "--out", str(tmp_path / "out")]
    Image.new("L", (32, 32)).save(tmp_path / "map.png")
    assert synthesize.main([*given, "--labels", str(tmp_path / "map.png")]) == 2
    assert "hf://ada/broken must hold what its SHA256SUMS says" in capsys.readouterr().err
    assert export.main(given) == 2
    assert "SHA256SUMS (it lists no model)" in capsys.readouterr().err
    assert serve.main(["--model_base_path", "hf://ada/nothing"]) == 2
    assert capsys.readouterr().err.startswith("error: hf://ada/nothing must be a repository")
    with pytest.raises(SystemExit) as stop:
        synthesize.main(["--model", "hf://ada", "--out", "x", "--labels", "x"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1

    files = {"1/saved_model.pb": EXPORTED / "1" / "saved_model.pb"}
    content = {name: path.read_bytes() for name, path in files.items()}
    hub.commit("ada/lakes", {**content, "SHA256SUMS": checksums_of(files).encode()})
    served = []
    monkeypatch.setattr(serve, "_serve", lambda _, path, name, __: served.append((path, name)))
    serve.main(["--model_base_path", "hf://ada/lakes", "--port", "0"])
    ((path, name),) = served
    assert name == "lakes" and (path / "1/saved_model.pb").is_file()


def test_all_that_is_wrong_is_told(tmp_path, capsys):
    assert run(tmp_path, "toy", "--files", "x.pth", tmp_path / "x.onnx", "--licence", " ") == 2
    told = capsys.readouterr().err
    for words in (
        "MODEL_DIR must be a SavedModel",
        "the repository must be USER/NAME. Received: toy",
        "must be .onnx or .tflite files. Received: x.pth",
        "--files must be there, each with its card",
        "--licence must be the name of one",
    ):
        assert words in told


def test_files_that_nobody_could_use(tmp_path, capsys):
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "two\nlines.onnx").write_bytes(b"onnx")
    files = sorted(tmp_path.iterdir())
    for path in files:
        Path(f"{path}.md").write_text("card")
    assert run(EXPORTED, "ada/toy", "--files", *files) == 2
    told = capsys.readouterr().err
    assert "empty.onnx, which is empty" in told and "two\\nlines.onnx" in told
    assert told.count("\n") == 2


def test_no_damaged_model(hub, tmp_path, capsys):  # noqa: F811
    broken = shutil.copytree(EXPORTED, tmp_path / "demo")
    graph = broken / "1/saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:1000])
    assert run(broken, "ada/toy") == 2
    assert "must be a whole SavedModel" in capsys.readouterr().err
    shutil.copy(EXPORTED / "1/saved_model.pb", graph)
    (broken / "1/MODEL_CARD.md").write_bytes("Maßstab".encode("latin-1"))
    with pytest.raises(DataError, match="a card must be text in UTF-8. Received: .*MODEL_CARD.md"):
        publish._readme(HubAddress("ada/toy"), {}, broken / "1", "1", [], "other")
    (broken / "1/MODEL_CARD.md").unlink()
    assert run(broken, "ada/toy") == 2
    assert "a model must have its card" in capsys.readouterr().err
    assert hub.requests == []


def test_load_says_what_an_address_is():
    with pytest.raises(DataError, match="path must be hf://USER/NAME"):
        oasis_tf.load("hf://toy")


@pytest.mark.slow
def test_commands_of_their_own(onnx, tmp_path):
    pytest.importorskip("huggingface_hub", reason="NO HUGGINGFACE_HUB")
    with stand_in() as (state, address):
        mine = {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
        }

        def call(module, *arguments):
            words = [sys.executable, "-m", f"oasis_tf.{module}", *map(str, arguments)]
            return subprocess.run(
                words, env={**os.environ, **mine}, capture_output=True, text=True, check=True
            )

        call("publish", EXPORTED, "ada/lakes", "--files", onnx, "--private")
        assert state.private == {"ada/lakes"} and "demo.onnx" in state.newest("ada/lakes")
        Image.new("L", (64, 32), 3).save(tmp_path / "map.png")
        labels, out = tmp_path / "map.png", tmp_path / "out"
        call("synthesize", "--model", "hf://ada/lakes@main", "--labels", labels, "--out", out)
        assert any(out.rglob("*.png"))
