import sys

import pytest

from data_pipeline.errors import DataError
from oasis_tf.hub.address import HubAddress
from oasis_tf.hub.checksums import CHECKSUMS, checksums_of
from oasis_tf.hub.fetch import fetch

LAKES = HubAddress("ada/lakes")


def model(tmp_path, graph=b"graph"):
    files = {"1/saved_model.pb": graph, "1/variables/v.data": bytes(range(250)) * 20}
    paths = {}
    for number, (name, content) in enumerate(files.items()):
        paths[name] = tmp_path / f"file_{number}"
        paths[name].write_bytes(content)
    others = {"README.md": b"card", "lakes.onnx": b"a file for others"}
    return {**files, **others, CHECKSUMS: checksums_of(paths).encode()}


def files_in(directory):
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


def left_in_cache(tmp_path):
    return {p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()}


def test_the_newest_or_a_revision(hub, tmp_path):
    old = hub.commit("ada/lakes", model(tmp_path, b"old"))
    new = hub.commit("ada/lakes", model(tmp_path, b"new"))
    hub.tags["ada/lakes"] = {"v1": old}
    directory = fetch(LAKES)
    assert directory.name == new
    assert files_in(directory) == {"1/saved_model.pb", "1/variables/v.data", CHECKSUMS}
    for revision, content in (("v1", b"old"), (old, b"old"), (new, b"new")):
        found = fetch(LAKES._replace(revision=revision))
        assert (found / "1/saved_model.pb").read_bytes() == content


def test_what_is_there_is_not_fetched_again(hub, tmp_path):
    commit = hub.commit("ada/lakes", model(tmp_path))
    fetch(LAKES)
    hub.requests.clear()
    fetch(LAKES)
    assert not any("resolve" in request for request in hub.requests)
    hub.requests.clear()
    hub.refuse = "/"
    assert fetch(LAKES._replace(revision=commit)).name == commit
    # Nor is a network needed.
    hub.refuse = "/api"
    assert fetch(LAKES).name == commit


@pytest.mark.parametrize("name", ["ada/lakes.git", "ada/lakes..2", "ada/" + "a" * 100])
def test_a_name_that_the_hub_does_not_take(hub, name):
    with pytest.raises(DataError, match=f"^hf://{name} must have a name that the Hub takes"):
        fetch(HubAddress(name))
    assert hub.requests == []


def test_no_such_repository_or_revision(hub, tmp_path):
    with pytest.raises(DataError, match="^hf://ada/lakes must be a repository that is there.*$"):
        fetch(LAKES)
    hub.commit("ada/lakes", model(tmp_path))
    with pytest.raises(DataError, match="^hf://ada/lakes@v2 must be a branch, a tag or a commit"):
        fetch(LAKES._replace(revision="v2"))
    with pytest.raises(DataError, match="@0000.* must be a branch"):
        fetch(LAKES._replace(revision="0" * 40))


def test_not_a_model_of_ours(hub):
    hub.commit("ada/lakes", {"model.safetensors": b"weights", "1/notes": b""})
    with pytest.raises(DataError, match=r"publish has uploaded. Received: .* without SHA256SUMS"):
        fetch(LAKES)


def test_no_file_of_the_machine_is_removed(hub, tmp_path):
    other = tmp_path / "of the user"
    other.touch()
    files = model(tmp_path)
    # From snapshots/COMMIT/1 up to the directory of the test.
    for up in range(1, 9):
        line = f"{'0' * 64}  1/{'../' * up}{other.name}\n"
        files[CHECKSUMS] += line.encode()
    hub.commit("ada/lakes", files)
    with pytest.raises(DataError, match=r"SHA256SUMS \(a name out of its directory"):
        fetch(LAKES)
    assert other.exists()


def test_a_private_one_needs_the_token(hub, tmp_path, monkeypatch):
    hub.commit("ada/lakes", model(tmp_path))
    hub.private.add("ada/lakes")
    fetch(LAKES)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(DataError, match="open to the token in use"):
        fetch(LAKES._replace(revision="not-in-the-cache"))


def test_other_content_than_the_checksum_says(hub, tmp_path):
    hub.commit("ada/lakes", model(tmp_path))
    hub.changed["1/saved_model.pb"] = b"grape"  # as long
    with pytest.raises(DataError, match=r"Received: 1/saved_model.pb \(another checksum\)$"):
        fetch(LAKES)
    assert "saved_model.pb" not in left_in_cache(tmp_path)
    hub.changed.clear()
    assert (fetch(LAKES) / "1/saved_model.pb").read_bytes() == b"graph"


def test_a_cut_download(hub, tmp_path):
    hub.commit("ada/lakes", model(tmp_path))
    hub.cut.add("1/variables/v.data")
    with pytest.raises(DataError, match="^hf://ada/lakes could not be reached, or not to its end"):
        fetch(LAKES)
    assert "v.data" not in left_in_cache(tmp_path)
    # Without a network the half is not taken for a whole.
    hub.refuse = "/"
    with pytest.raises(DataError):
        fetch(LAKES)
    hub.refuse, hub.cut = None, set()
    assert (fetch(LAKES) / "1/variables/v.data").stat().st_size == 5000


def test_a_file_damaged_in_the_cache(hub, tmp_path):
    hub.commit("ada/lakes", model(tmp_path))
    damaged = fetch(LAKES) / "1/variables/v.data"
    content = damaged.resolve()
    content.write_bytes(content.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="another checksum"):
        fetch(LAKES)
    assert (fetch(LAKES) / "1/variables/v.data").stat().st_size == 5000


def test_nobody_answers(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(DataError, match="could not be reached") as error:
        fetch(LAKES)
    assert "\n" not in str(error.value)


def test_the_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError, match=r'^models on the Hub need .*pip install -e "\.\[hub\]"'):
        fetch(LAKES)
