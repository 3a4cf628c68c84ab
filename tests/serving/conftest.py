"""One running server for all tests that need no other."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from data_pipeline.errors import DataError
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.exporting.onnxruntime_web import FILE, fetch_package
from oasis_tf.serving.warmup import WARMUP_FILE
from tests.serving.exporting.toy_generator import toy_generator, toy_info
from tests.serving.running import serving, serving_here
from tests.serving.server.toy_model import save_toy_model


@pytest.fixture(scope="session")
def toy_versions(tmp_path_factory):
    """A base path with versions 1 and 2 of the toy model; not to be changed."""
    base = tmp_path_factory.mktemp("models") / "toy"
    save_toy_model(base / "1", add=1.0)
    save_toy_model(base / "2")
    return base


@pytest.fixture(scope="session")
def server(toy_versions, tmp_path_factory):
    """A server of the toy model with small limits: 1 MiB, 100,000 pixels, 3 s.

    Pages of two other origins may call it.
    """
    flags = ["--max_body_mib", 1, "--max_pixels", 100_000, "--timeout", 3]
    flags += ["--cors_origin", "http://localhost:3000", "--cors_origin", "https://a.b"]
    with serving(toy_versions, tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Version 1 of an exported toy generator with 9 classes, for pictures of 2^15 pixels."""
    info = toy_info(9, max_pixels=2**15, scores={"mIoU": 0.25})
    return export_model(toy_generator(9), info, tmp_path_factory.mktemp("models") / "painter")


@pytest.fixture(scope="session")
def painter(exported, tmp_path_factory):
    """A server of it."""
    base = tmp_path_factory.mktemp("painter")
    shutil.copytree(exported, base / "1")
    (base / "1" / WARMUP_FILE).unlink()  # most tests use one signature only
    with serving_here(base, "painter") as running:
        yield running


@pytest.fixture(scope="session")
def onnxruntime_web(request):
    """The package of onnxruntime-web, fetched once for all runs; skips where it cannot be."""
    cache = request.config.cache.mkdir("onnxruntime_web")
    if (cache / FILE).exists():
        return cache / FILE
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        try:
            package = fetch_package(Path(directory))
        except DataError as error:
            pytest.skip(f"NO ONNXRUNTIME-WEB: the static page is not tested: {error}")
        os.replace(package, cache / FILE)
    return cache / FILE
