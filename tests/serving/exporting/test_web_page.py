"""The files of a static page; tests/serving/page/test_local_backend.py opens it in a browser."""

import json

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.images import to_uint8
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.exporting.compare_engines import EngineDiffers
from tests.serving.exporting.test_onnxruntime_web import OURS, package  # noqa: F401
from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info

pytest.importorskip("onnx", reason="NO ONNX: the static page is not tested; pip install onnx")
pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: the static page is not tested")

from oasis_tf.serving.exporting import web_page
from oasis_tf.serving.exporting.onnx_file import open_onnx
from oasis_tf.serving.exporting.web_page import write_web_page


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


def files(directory):
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


def test_all_that_the_page_needs(generator, package, tmp_path):  # noqa: F811
    directory = tmp_path / "pages" / "toy"
    info = toy_info(scores={"mIoU": 0.25})
    differences = write_web_page(generator, info, directory, package)
    assert differences.engine < 1e-5
    served = {p.name for p in web_page._PAGE.iterdir()} - {"index.html"}
    assert files(directory) == {
        "index.html",
        *(f"page/{name}" for name in served),
        *(f"onnxruntime_web/{name}" for name in OURS),
        *(f"model/{name}" for name in ("toy.onnx", "toy.onnx.md", "model.json")),
    }
    assert list(directory.parent.iterdir()) == [directory]
    assert directory.stat().st_mode & 0o777 == 0o755
    # The same page, but for who draws.
    for name in served - {"backend.js"}:
        assert (directory / "page" / name).read_text() == (web_page._PAGE / name).read_text()
    assert "LocalBackend as Backend" in (directory / "page/backend.js").read_text()

    content = json.loads((directory / "model/model.json").read_text())
    assert content["name"] == "toy" and content["file"] == "toy.onnx"
    assert content["bytes"] == (directory / "model/toy.onnx").stat().st_size
    about = json.loads(info.to_json())
    assert {key: content[key] for key in about} == about


def test_the_picture_to_check_with(generator, package, tmp_path):  # noqa: F811
    write_web_page(generator, toy_info(), tmp_path / "toy", package, weights="float16")
    check = json.loads((tmp_path / "toy/model/model.json").read_text())["check"]
    size = check["height"], check["width"]
    ids, seeds = (np.reshape(check[name], (1, *size)) for name in ("ids", "seeds"))
    assert set(np.unique(ids)) == set(range(CLASSES)) and len(np.unique(seeds)) > 1
    noise, _ = global_noise(np.arange(seeds.max() + 1), 4)
    given = [array.astype(np.int32) for array in (ids, seeds)]
    drawn = open_onnx(tmp_path / "toy/model/toy.onnx")(given[0], noise.numpy()[None], given[1])
    np.testing.assert_array_equal(check["colours"], to_uint8(drawn).ravel())
    right = to_uint8(generator(*map(tf.constant, (given[0], noise[None], given[1]))))
    # As far as float16 is from it.
    assert np.abs(right.ravel().astype(int) - check["colours"]).max() <= 3


@pytest.mark.parametrize("error", [EngineDiffers("other pictures"), KeyboardInterrupt()])
def test_nothing_is_left_of_half_a_page(generator, package, tmp_path, monkeypatch, error):  # noqa: F811
    def fail(*arguments):
        raise error

    before = files(tmp_path)
    monkeypatch.setattr(web_page, "_check", fail)
    with pytest.raises(type(error)):
        write_web_page(generator, toy_info(), tmp_path / "toy", package)
    assert files(tmp_path) == before
    assert not list(tmp_path.glob(".export-*")) and not (tmp_path / "toy").exists()


def test_what_was_put_there_meanwhile_stays(generator, package, tmp_path, monkeypatch):  # noqa: F811
    def meanwhile(*arguments):
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy" / "file").write_text("of somebody else")
        return {}

    monkeypatch.setattr(web_page, "_check", meanwhile)
    with pytest.raises(OSError, match="not empty"):
        write_web_page(generator, toy_info(), tmp_path / "toy", package)
    assert files(tmp_path / "toy") == {"file"} and not list(tmp_path.glob(".export-*"))
