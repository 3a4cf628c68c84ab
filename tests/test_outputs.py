"""What can be written and what cannot, without a trace of having asked."""

import pytest

from data_pipeline.errors import DataError
from oasis_tf.outputs import check_directory, check_files


def test_what_can_be_written(tmp_path):
    (tmp_path / "old.json").write_text("old")
    check_files(tmp_path / "old.json", tmp_path / "new.json")
    check_directory(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]
    assert (tmp_path / "old.json").read_text() == "old"


def test_all_that_cannot_is_listed(tmp_path):
    (tmp_path / "directory").mkdir()
    paths = [tmp_path / name for name in ("directory", "missing/a.json", 252 * "m", "good")]
    with pytest.raises(DataError) as caught:
        check_files(*paths)
    lines = str(caught.value).splitlines()
    assert lines[0] == "files must be writable. Received:"
    reasons = ("Is a directory", "must be in a directory that exists", "too long")
    for line, path, reason in zip(lines[1:], paths, reasons, strict=False):
        assert str(path) in line and reason in line
    assert len(lines) == 4


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_directory_that_is_a_file(tmp_path, path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="--cache_dir must be a writable directory. Received: .*"):
        check_directory(tmp_path / path, "--cache_dir")
