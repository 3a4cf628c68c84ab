import base64
import hashlib
import tarfile

import pytest

from data_pipeline.errors import DataError
from oasis_tf.serving.exporting import onnxruntime_web
from oasis_tf.serving.exporting.onnxruntime_web import PACKAGE, fetch_package, unpack_runtime

pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: its licence cannot be copied")

OURS = {
    "LICENSE",
    "ThirdPartyNotices.txt",
    "ort-wasm-simd-threaded.asyncify.wasm",
    "ort-wasm-simd-threaded.wasm",
    "ort.wasm.js",
    "ort.webgpu.js",
}


def write_package(directory):
    """A package like the real one, whose files hold their names, one file more; its checksum."""
    path = directory / "onnxruntime-web.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*onnxruntime_web._FILES, "ort.all.js"):
            (directory / name).write_text(name)
            archive.add(directory / name, f"package/dist/{name}")
            (directory / name).unlink()
    return path, base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.fixture
def package(tmp_path, monkeypatch):
    path, digest = write_package(tmp_path)
    monkeypatch.setattr(onnxruntime_web, "_SHA512", digest)
    return path


def test_what_a_page_needs_is_taken(package, tmp_path):
    unpack_runtime(package, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == OURS
    assert (tmp_path / "out/ort.wasm.js").read_text() == "ort.wasm.bundle.min.mjs"
    assert "Microsoft" in (tmp_path / "out/LICENSE").read_text()


def test_another_package_is_refused(package, tmp_path):
    content = package.read_bytes()
    package.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match=f"{package}, whose content is not that of {PACKAGE}"):
        unpack_runtime(package, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["missing", "directory"])
def test_no_package(tmp_path, kind):
    path = tmp_path if kind == "directory" else tmp_path / "missing.tgz"
    with pytest.raises(
        DataError, match="--onnxruntime_web. Received: .*(No such|Is a dir)"
    ) as told:
        unpack_runtime(path, tmp_path / "out")
    assert "\n" not in str(told.value)


def npm(tmp_path, monkeypatch, script):
    """A program in npm's place."""
    path = tmp_path / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(onnxruntime_web.shutil, "which", lambda name: str(path))


def test_npm_fetches_it(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    npm(tmp_path, monkeypatch, 'echo "$1 $2" > "$4/onnxruntime-web-1.30.0.tgz"')
    package = fetch_package(tmp_path / "there")
    assert package.read_text() == f"pack {PACKAGE}\n"


@pytest.mark.parametrize(
    "script, reason",
    [
        (
            "echo 'npm error code ECONNREFUSED\nnpm error syscall connect\n"
            "npm error FetchError: request to http://r/ failed\nnpm error   at x' >&2; exit 1",
            "npm: FetchError: request to http://r/ failed",
        ),
        ("echo 'npm error code E404' >&2; exit 1", "npm: code E404"),
        ("exit 1", "npm: it failed without a word"),
        ("sleep 60", "no answer to npm within 0.2 s"),
    ],
)
def test_npm_cannot(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr(onnxruntime_web, "_TIMEOUT", 0.2)
    npm(tmp_path, monkeypatch, script.replace("sleep", "exec sleep"))
    with pytest.raises(DataError) as told:
        fetch_package(tmp_path)
    assert str(told.value).endswith(f"Received: {reason}")
    assert f"`npm pack {PACKAGE}`" in str(told.value) and "\n" not in str(told.value)


def test_no_npm(tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime_web.shutil, "which", lambda name: None)
    with pytest.raises(DataError, match="no npm client to fetch it with"):
        fetch_package(tmp_path)
