import numpy as np
import pytest

from oasis_tf.serving.client import Client, ServingError


@pytest.fixture
def client(server):
    client = Client(server.url, "toy", timeout=20)
    yield client
    client.close()


def test_one_output(client):
    answer = client.predict({"x": np.float32([[1], [2]])})
    assert list(answer) == ["y"] and answer["y"].dtype == np.float32
    np.testing.assert_array_equal(answer["y"], [[2.5], [3]])


def test_several_outputs(client):
    answer = client.predict({"a": [[1, 2]], "b": np.int64([2**62 + 1])}, signature="two")
    assert answer["b"].tolist() == [2**62 + 1]
    assert answer["sum"].dtype == np.float32


def test_bytes(client):
    answer = client.predict({"text_bytes": [b"\0a", "b"]}, signature="text")
    assert answer["echo"].tolist() == ["\0a", "b"]
    assert answer["echo_bytes"].tolist() == [b"\0a", b"b"]


def test_status_and_metadata(client):
    assert client.status()[0]["state"] == "AVAILABLE"
    assert client.metadata()["total"]["inputs"]["x"]["dtype"] == "DT_INT32"


def test_errors(client, server):
    with pytest.raises(ServingError, match="no signature 'nothing'") as caught:
        client.predict({"x": [1]}, signature="nothing")
    assert caught.value.status == 400
    with pytest.raises(ServingError) as caught:
        Client(server.url, "other").status()
    assert caught.value.status == 404
    assert client.predict({"x": [[1]]})["y"].tolist() == [[2.5]]


def test_comes_back_after_the_server_closed_the_idle_connection(client):
    client.status()
    client._connection.sock.shutdown(2)
    assert client.status()


LABEL_MAP = np.full((32, 64), 3)


@pytest.fixture
def drawer(painter):
    client = Client(painter.url, "painter", timeout=20)
    yield client
    client.close()


def test_kinds_of_arguments(drawer):
    """What the library takes, as it takes it: see `tests/sampling/test_arguments.py`."""
    right = drawer.synthesize(LABEL_MAP, seed=3)
    for label_map, seed in (
        (LABEL_MAP.astype(np.uint8), np.int64(3)),
        (LABEL_MAP.tolist(), np.array(3)),
        (LABEL_MAP, np.full((32, 64), 3, np.uint8)),
    ):
        np.testing.assert_array_equal(drawer.synthesize(label_map, seed=seed), right)
    mask = LABEL_MAP[::-1].cumsum(axis=1) > 90
    right = drawer.edit(LABEL_MAP, mask, seed=3)
    for kind in (float, np.uint8, np.int64):
        np.testing.assert_array_equal(drawer.edit(LABEL_MAP, mask.astype(kind), seed=3), right)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(label_map=LABEL_MAP / 1), "filled int array"),
        (dict(label_map=LABEL_MAP > 0), "filled int array"),
        (dict(label_map=LABEL_MAP + 6), "id 9: 2048 pixels"),
        (dict(label_map=LABEL_MAP[None]), "filled int array"),
        (dict(seed=1.0), "seed must be a whole number. Received: 1.0"),
        (dict(seed=True), "seed must be a whole number"),
        (dict(seed=-1), "seed must be in 0..2147483647"),
        (dict(edit_seed=0.5), "edit_seed must be a whole number"),
        (dict(mask=np.full((32, 64), np.nan)), "finite numbers"),
        (dict(mask=LABEL_MAP * 0), "must mark one pixel"),
        (dict(mask=LABEL_MAP[1:]), "the size of the label map, 32x64. Received: 31x64"),
    ],
)
def test_bad_arguments(drawer, arguments, message):
    arguments = {"label_map": LABEL_MAP, "mask": LABEL_MAP, **arguments}
    with pytest.raises(ValueError, match=message):
        drawer.edit(arguments.pop("label_map"), arguments.pop("mask"), **arguments)


def test_bad_maps_of_seeds(drawer):
    for seeds, message in ((LABEL_MAP / 2, "Received: float64"), (LABEL_MAP << 16, "in 0..65535")):
        with pytest.raises(ValueError, match=message):
            drawer.synthesize(LABEL_MAP, seed=seeds)


def test_nobody_there():
    with pytest.raises(OSError):
        Client("http://127.0.0.1:9", "toy").status()
    with pytest.raises(TimeoutError, match="did not become available"):
        Client("http://127.0.0.1:9", "toy").wait_until_available(0)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://a", "http://"])
def test_bad_url(url):
    with pytest.raises(ValueError, match="`url`"):
        Client(url, "toy")
