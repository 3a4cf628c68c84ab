"""With a loader of text files in the place of TensorFlow's."""

import shutil

import pytest

from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.versions import VersionManager


class Loaded:
    def __init__(self, path, version):
        self.text = (path / "model").read_text()
        self.version = version


@pytest.fixture
def base(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def manager(base):
    write(base, 1)
    manager = VersionManager(base, Loaded)
    manager.poll()
    return manager


def write(base, name, text="good"):
    (base / str(name)).mkdir(parents=True)
    (base / str(name) / "model").write_text(text)


def states(manager):
    return {v["version"]: v["state"] for v in manager.status()}


def test_serves_the_highest_number(base):
    for name in ("2", "00010", "9", "x12", "1.5", "-20", "99999999999999999999", "١٢"):
        write(base, name)
    (base / "77").write_text("a file is no version")
    manager = VersionManager(base, Loaded)
    manager.poll()
    assert manager.get().version == 10
    assert manager.current_version == 10
    assert manager.get(10) is manager.get()
    assert states(manager) == {"10": "AVAILABLE"}


def test_nothing_there(base):
    base.mkdir()
    manager = VersionManager(base, Loaded)
    manager.poll()
    for call in (manager.get, manager.status):
        with pytest.raises(ApiError) as caught:
            call()
        assert caught.value.status == 404


@pytest.mark.parametrize("version", [0, 2, 2**62])
def test_unknown_version(manager, version):
    for call in (manager.get, manager.status):
        with pytest.raises(ApiError) as caught:
            call(version)
        assert caught.value.status == 404


def test_a_new_version_takes_over_and_the_old_one_ends_with_its_last_call(base, manager):
    in_use = manager.get()
    write(base, 2)
    manager.poll()
    assert manager.get().version == 2
    assert states(manager) == {"2": "AVAILABLE", "1": "UNLOADING"}
    assert in_use.text == "good"
    with pytest.raises(ApiError):
        manager.get(1)
    del in_use
    assert states(manager) == {"2": "AVAILABLE", "1": "END"}
    assert [v["version"] for v in manager.status()] == ["2", "1"]


def test_a_lower_version_is_not_loaded(base, manager):
    write(base, 0)
    manager.poll()
    assert states(manager) == {"1": "AVAILABLE"}


def test_a_broken_version_is_reported_and_the_old_one_serves(base, manager):
    (base / "2").mkdir()
    manager.poll()
    assert manager.get().version == 1
    (broken,) = manager.status(2)
    assert broken["state"] == "END"
    assert broken["status"]["error_code"] == "NOT_FOUND"
    assert "model" in broken["status"]["error_message"]
    assert states(manager) == {"2": "END", "1": "AVAILABLE"}


def test_a_broken_version_is_tried_again_once_it_changes(base):
    loads = []

    def load(path, version):
        loads.append(version)
        return Loaded(path, version)

    (base / "2").mkdir(parents=True)
    write(base, 1)
    manager = VersionManager(base, load)
    for _ in range(3):
        manager.poll()
    assert loads == [2, 1]
    (base / "2" / "model").write_text("the copy is complete")
    manager.poll()
    assert loads == [2, 1, 2]
    assert manager.get().version == 2


def test_a_removed_version_gives_way_to_the_next_lower(base, manager):
    write(base, 2)
    manager.poll()
    shutil.rmtree(base / "2")
    manager.poll()
    assert manager.get().version == 1
    assert states(manager) == {"2": "END", "1": "AVAILABLE"}
    shutil.rmtree(base / "1")
    manager.poll()
    assert states(manager) == {"2": "END", "1": "END"}
    with pytest.raises(ApiError):
        manager.get()


def test_a_directory_that_cannot_be_listed_changes_nothing(base, manager):
    base.rename(base.with_name("away"))
    manager.poll()
    assert manager.get().version == 1


def test_watches_by_itself(base):
    base.mkdir()
    manager = VersionManager(base, Loaded, poll_seconds=0.01)
    manager.start()
    write(base, "new.tmp")
    (base / "new.tmp").rename(base / "5")
    for _ in range(1000):
        if manager.current_version == 5:
            break
        manager._stopping.wait(0.01)
    manager.stop()
    assert manager.get().version == 5
