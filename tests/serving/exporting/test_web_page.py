"""The files of a static page; tests/serving/page/test_local_backend.py opens it in a browser."""

import json

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.images import to_uint8
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.exporting import onnxruntime_web
from oasis_tf.serving.exporting.compare_engines import EngineDiffers
from tests.serving.exporting.test_onnxruntime_web import OURS, write_package
from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info

pytest.importorskip("onnx", reason="NO ONNX: the static page is not tested; pip install onnx")
pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: the static page is not tested")

from oasis_tf.serving.exporting import web_page
from oasis_tf.serving.exporting.onnx_file import open_onnx
from oasis_tf.serving.exporting.web_page import write_web_page

INFO = toy_info(scores={"mIoU": 0.25})


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        path, digest = write_package(tmp_path_factory.mktemp("package"))
        patch.setattr(onnxruntime_web, "_SHA512", digest)
        yield path


@pytest.fixture(scope="module")
def page(generator, package, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "made" / "toy"
    differences = write_web_page(generator, INFO, path, package, weights="float16")
    assert differences.engine < 1e-5 < differences.trained
    return path


def files(directory):
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


def test_all_that_the_page_needs(page):
    served = {p.name for p in web_page._PAGE.iterdir()} - {"index.html"}
    assert files(page) == {
        "index.html",
        *(f"page/{name}" for name in served),
        *(f"onnxruntime_web/{name}" for name in OURS),
        *(f"model/{name}" for name in ("toy.onnx", "toy.onnx.md", "model.json")),
    }
    assert list(page.parent.iterdir()) == [page]
    assert page.stat().st_mode & 0o777 == 0o755
    # The same page, but for who draws.
    for name in served - {"backend.js"}:
        assert (page / "page" / name).read_text() == (web_page._PAGE / name).read_text()
    assert "LocalBackend as Backend" in (page / "page/backend.js").read_text()


def test_what_the_page_has_to_know(page):
    content = json.loads((page / "model/model.json").read_text())
    assert content["name"] == "toy" and content["file"] == "toy.onnx"
    assert content["bytes"] == (page / "model/toy.onnx").stat().st_size
    about = json.loads(INFO.to_json())
    assert {key: content[key] for key in about} == about


def test_the_picture_to_check_with(page, generator):
    check = json.loads((page / "model/model.json").read_text())["check"]
    size = check["height"], check["width"]
    ids, seeds = (np.reshape(check[name], (1, *size)).astype(np.int32) for name in ("ids", "seeds"))
    assert set(np.unique(ids)) == set(range(CLASSES)) and len(np.unique(seeds)) > 1
    noise = global_noise(np.arange(seeds.max() + 1), 4).noise.numpy()[None]
    drawn = open_onnx(page / "model/toy.onnx")(ids, noise, seeds)
    np.testing.assert_array_equal(check["colours"], to_uint8(drawn).ravel())
    right = to_uint8(generator(*map(tf.constant, (ids, noise, seeds))))
    # As far as float16 is from it.
    assert np.abs(right.ravel().astype(int) - check["colours"]).max() <= 3


def write_nothing(generator, info, path, *, weights):
    """In the place of `write_onnx`, which takes seconds."""
    path.parent.mkdir()
    path.write_bytes(b"model")


@pytest.mark.parametrize("error", [EngineDiffers("other pictures"), KeyboardInterrupt()])
def test_nothing_is_left_of_half_a_page(generator, package, tmp_path, monkeypatch, error):
    def fail(*arguments):
        assert len(list(tmp_path.glob(".export-*/onnxruntime_web/*"))) == len(OURS)
        raise error

    monkeypatch.setattr(web_page, "write_onnx", write_nothing)
    monkeypatch.setattr(web_page, "_check", fail)
    with pytest.raises(type(error)):
        write_web_page(generator, INFO, tmp_path / "toy", package)
    assert not list(tmp_path.iterdir())


def test_what_was_put_there_meanwhile_stays(generator, package, tmp_path, monkeypatch):
    def meanwhile(*arguments):
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy" / "file").write_text("of somebody else")
        return {}

    monkeypatch.setattr(web_page, "write_onnx", write_nothing)
    monkeypatch.setattr(web_page, "_check", meanwhile)
    with pytest.raises(OSError, match="not empty"):
        write_web_page(generator, INFO, tmp_path / "toy", package)
    assert files(tmp_path) == {"toy/file"}


def test_an_empty_directory_is_taken(generator, package, tmp_path, monkeypatch):
    monkeypatch.setattr(web_page, "write_onnx", write_nothing)
    monkeypatch.setattr(web_page, "_check", lambda *_: {})
    write_web_page(generator, INFO, tmp_path, package)
    assert "index.html" in files(tmp_path)


def test_a_link_to_an_empty_directory_stays(generator, package, tmp_path, monkeypatch):
    monkeypatch.setattr(web_page, "write_onnx", write_nothing)
    monkeypatch.setattr(web_page, "_check", lambda *_: {})
    (tmp_path / "disk").mkdir()
    (tmp_path / "toy").symlink_to(tmp_path / "disk")
    write_web_page(generator, INFO, tmp_path / "toy", package)
    assert (tmp_path / "toy").is_symlink()
    assert {"index.html", "model/toy.onnx"} <= files(tmp_path / "disk")
