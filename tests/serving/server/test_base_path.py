"""What is said to somebody who gave a directory without versions."""

import pytest

from oasis_tf.serving.server.base_path import find_versions, why_none


@pytest.fixture
def models(tmp_path):
    """models/sample/1 and models/other/2."""
    for path in ("sample/1", "other/2"):
        (tmp_path / "models" / path).mkdir(parents=True)
        (tmp_path / "models" / path / "saved_model.pb").touch()
    return tmp_path / "models"


def test_versions(models):
    for name in ("x", "-1", "1.0", "99999999999999999999"):
        (models / "sample" / name).mkdir()
    (models / "sample" / "7").touch()
    assert find_versions(models / "sample") == {1: models / "sample" / "1"}


def test_one_level_too_deep(models):
    reason = why_none(models / "sample" / "1")
    assert "must hold a directory named by a whole number, such as 1, for each version" in reason
    assert f"holds saved_model.pb itself: give its parent, {models / 'sample'}" in reason


def test_one_level_too_high(models):
    reason = why_none(models)
    assert f"holds models (other, sample): give {models / 'other'}" in reason


def test_versions_with_other_names(models):
    (models / "sample" / "1").rename(models / "sample" / "v1")
    assert "sample holds v1, not named by a whole number: rename it" in why_none(models / "sample")


def test_nothing_of_the_kind(tmp_path):
    assert why_none(tmp_path).endswith(f"Received: {tmp_path} is empty")
    for i in range(7):
        (tmp_path / f"file{i}").touch()
    assert "holds file0, file1, file2, file3, file4 and 2 more" in why_none(tmp_path)
