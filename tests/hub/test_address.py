from pathlib import Path

import pytest

from data_pipeline.errors import DataError
from oasis_tf.hub.address import HubAddress, hub_address, is_repository


@pytest.mark.parametrize(
    "text, repository, revision",
    [
        ("hf://ada/lakes", "ada/lakes", None),
        ("hf://ada/lakes@v1.0", "ada/lakes", "v1.0"),
        ("hf://a-b/c_d.e@refs/pr/1", "a-b/c_d.e", "refs/pr/1"),
    ],
)
def test_addresses(text, repository, revision):
    address = hub_address(text, "--model")
    assert address == HubAddress(repository, revision)
    assert str(address) == text and address.name == repository.split("/")[1]
    assert hub_address(address, "--model") is address


@pytest.mark.parametrize("text", ["runs/x", Path("hf/x"), "hf:x", "gs://a/b", ""])
def test_no_addresses(text):
    assert hub_address(text, "--model") is None


@pytest.mark.parametrize(
    "text", ["hf://", "hf://ada", "hf://ada/", "hf://a/b/c", "hf://../b", "hf://a/b@", "hf://a b/c"]
)
def test_wrong_addresses(text):
    with pytest.raises(DataError, match="--model must be hf://USER/NAME") as error:
        hub_address(text, "--model")
    assert str(error.value).endswith(f"Received: {text}")


def test_repositories():
    assert is_repository("ada/lakes") and not is_repository("lakes") and not is_repository("a/../b")
