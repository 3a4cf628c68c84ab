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


def test_nobody_there():
    with pytest.raises(OSError):
        Client("http://127.0.0.1:9", "toy").status()
    with pytest.raises(TimeoutError, match="did not become available"):
        Client("http://127.0.0.1:9", "toy").wait_until_available(0)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://a", "http://"])
def test_bad_url(url):
    with pytest.raises(ValueError, match="`url`"):
        Client(url, "toy")
