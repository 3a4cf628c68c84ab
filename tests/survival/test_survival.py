"""Every fault of the matrix: the same command ends with the same losses, or says what is wrong."""

import contextlib

import pytest

from tests.survival.faults import FAULTS, Place
from tests.survival.matrix import inflict, small_disk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("survival"))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_survives(place, tmp_path, fault):
    disk = small_disk(tmp_path / "disk") if fault.disk else contextlib.nullcontext()
    try:
        with disk:
            result = inflict(fault, place, tmp_path / "disk")
    except PermissionError as error:
        pytest.skip(f"NO RIGHT TO MOUNT: {error}")
    for ended in filter(None, (result.first, result.last)):
        assert "Traceback" not in ended.err
    assert (fault.says or "") in result.first.error
    if fault.refused:
        assert result.first.code == 2, result.first.err
        assert result.first.err.splitlines()[-1].startswith("error: ")
        assert fault.kept is None or result.kept >= fault.kept
    if result.last is not None:
        assert result.last.code == 0, result.last.err
        assert result.same
