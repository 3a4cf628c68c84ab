import hashlib
import subprocess

import pytest

from oasis_tf.hub.checksums import CHECKSUMS, checksums_of, wrong_files


@pytest.fixture
def directory(tmp_path):
    files = {"1/a.pb": b"graph", "1/sub/b c.bin": bytes(100), "x.onnx": b"onnx"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(content)
    paths = {name: tmp_path / name for name in files}
    (tmp_path / CHECKSUMS).write_text(checksums_of(paths))
    return tmp_path


def of_a_model(name):
    return name.startswith("1/")


def test_sha256sum_reads_it(directory):
    line = (directory / CHECKSUMS).read_text().splitlines()[0]
    assert line == f"{hashlib.sha256(b'graph').hexdigest()}  1/a.pb"
    subprocess.run(["sha256sum", "-c", "--strict", CHECKSUMS], cwd=directory, check=True)
    assert wrong_files(directory, of_a_model) == {}


def test_all_that_is_wrong(directory):
    (directory / "1/a.pb").write_bytes(b"grape")
    (directory / "1/sub/b c.bin").unlink()
    (directory / "1/more").touch()
    (directory / "x.onnx").unlink()  # not asked for
    assert wrong_files(directory, of_a_model) == {
        "1/a.pb": "another checksum",
        "1/sub/b c.bin": "missing",
        "1/more": "not listed",
    }


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no model"),
        ("<html>", "no line of"),
        (f"{'0' * 64}  x.onnx\n", "no model"),
        (f"{'0' * 64}  1/../../other\n", "out of its directory: '1/../../other'"),
    ],
)
def test_no_such_file(directory, text, message):
    (directory / CHECKSUMS).write_text(text)
    assert message in wrong_files(directory, of_a_model)[CHECKSUMS]
