import sys

import pytest

from data_pipeline.errors import DataError
from oasis_tf.hub.address import HubAddress
from oasis_tf.hub.checksums import CHECKSUMS
from oasis_tf.hub.upload import upload

LAKES = HubAddress("ada/lakes")
FILES = {"1/saved_model.pb": b"graph", CHECKSUMS: b"sums", "README.md": b"---\nlicense: x\n---\n"}


def test_a_new_repository(hub, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(bytes(range(250)) * 20)
    files = {**FILES, "1/variables/v": large, "lakes.onnx": b"onnx", "lakes.onnx.md": b"card"}
    commit = upload(files, LAKES, private=True)
    stored = hub.newest("ada/lakes")
    assert hub.find("ada/lakes", "main")[0] == commit
    assert stored.pop(".gitattributes") == b""
    assert stored == {**files, "1/variables/v": large.read_bytes()}
    assert hub.private == {"ada/lakes"}
    assert sum("commit/main" in request for request in hub.requests) == 1


def test_in_place_of_an_older_model(hub):
    old = {"1/saved_model.pb": b"", "1/gone": b"", "x.tflite": b"", "x.tflite.md": b""}
    hub.commit("ada/lakes", {**old, "picture.png": b"mine", CHECKSUMS: b""})
    upload(FILES, LAKES)
    assert hub.newest("ada/lakes") == {**FILES, "picture.png": b"mine"}
    assert len(hub.repositories["ada/lakes"]) == 2


def test_the_same_again_is_no_error(hub):
    upload(FILES, LAKES)
    upload(FILES, LAKES)
    assert hub.newest("ada/lakes").items() >= FILES.items()


def test_other_peoples_files_stay(hub):
    hub.commit("ada/lakes", {"model.safetensors": b"weights", "README.md": b"mine"})
    with pytest.raises(DataError, match="written. Received: one with model.safetensors"):
        upload(FILES, LAKES)
    assert len(hub.repositories["ada/lakes"]) == 1


def test_a_public_one_does_not_become_private(hub):
    upload(FILES, LAKES)
    with pytest.raises(DataError, match="^--private is for a new repository"):
        upload(FILES, LAKES, private=True)


def test_no_token(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/no/such/token")
    with pytest.raises(DataError, match="needs a token .* set HF_TOKEN") as error:
        upload(FILES, LAKES)
    assert hub.requests == [] and "\n" not in str(error.value)


@pytest.mark.parametrize("token, user", [("hf_bad", "ada"), (None, "others")])
def test_a_token_that_may_not(hub, monkeypatch, token, user):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(DataError, match=f"^hf://{user}/lakes ") as error:
        upload(FILES, HubAddress(f"{user}/lakes"))
    assert "\n" not in str(error.value) and hub.repositories == {}


@pytest.mark.parametrize("refuse", ["/lfs/", "/commit/"])
def test_a_cut_upload_leaves_what_was_there(hub, refuse, monkeypatch):
    upload(FILES, LAKES)
    before = hub.newest("ada/lakes")
    hub.refuse = refuse
    with pytest.raises(DataError, match="could not be reached, or not to its end"):
        upload({**FILES, "1/variables/v": bytes(5000)}, LAKES)
    assert hub.newest("ada/lakes") is before


def test_the_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(DataError, match=r'pip install -e "\.\[hub\]"'):
        upload(FILES, LAKES)
