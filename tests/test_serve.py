"""The command, in processes of its own: versions that come and go, signals, bad flags."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from oasis_tf.serving.client import Client
from tests.serving.running import serving
from tests.serving.server.toy_model import save_toy_model


@pytest.fixture(scope="module")
def toy_versions(tmp_path_factory):
    """Versions 1 and 2 of the toy model; not to be changed."""
    base = tmp_path_factory.mktemp("models") / "toy"
    save_toy_model(base / "1", add=1.0)
    save_toy_model(base / "2")
    return base


def test_the_models_of_tensorflow_serving(shared, tmp_path):
    base = shared / "data/serving_models/half_plus_two"
    with serving(base, tmp_path, model="half_plus_two") as server:
        path = "/v1/models/half_plus_two/versions/123:predict"
        answer = server.predict({"instances": [1.0, 2.0, 5.0]}, path)
        assert answer == (200, {"predictions": [2.5, 3.0, 4.5]})
        assert server.predict({"inputs": [1.0, 2.0, 5.0]}) == (200, {"outputs": [2.5, 3.0, 4.5]})
        assert Client(server.url, "half_plus_two").status()[0]["version"] == "123"


def test_versions_change_under_load_without_a_failed_request(toy_versions, tmp_path):
    base = tmp_path / "toy"
    base.mkdir()
    with serving(base, tmp_path, wait=False) as server:
        assert server.predict({"inputs": 1})[0] == 404
        assert "error" in json.loads(server.request("GET", "/v1/models/toy")[2])

        # It waits for the first version.
        shutil.copytree(toy_versions / "1", tmp_path / "first")
        (tmp_path / "first").rename(base / "1")
        client = Client(server.url, "toy")
        client.wait_until_available()

        with repeating(server) as answers:
            # A broken version is reported; the old one goes on.
            (base / "2").mkdir()
            (base / "2" / "saved_model.pb").write_bytes(b"no SavedModel")
            wait_for(lambda: client.status()[0]["version"] == "2")
            wait_for(lambda: client.status()[0]["state"] == "END")
            broken, old = client.status()
            assert broken["status"]["error_code"] != "OK" and broken["status"]["error_message"]
            assert old["state"] == "AVAILABLE"

            # Once it is whole it takes over.
            shutil.rmtree(base / "2")
            shutil.copytree(toy_versions / "2", tmp_path / "second")
            (tmp_path / "second").rename(base / "2")
            wait_for(lambda: client.status()[0]["state"] == "AVAILABLE")
            wait_for(lambda: client.status()[1]["state"] == "END")
            time.sleep(0.2)

        # Half of 2, plus 1 in version 1 and plus 2 in version 2.
        assert set(answers) == {2.0, 3.0}
        assert answers[-1] == 3.0
        posts = [line for line in server.access_lines() if line["method"] == "POST"]
        assert {line["status"] for line in posts[1:]} == {200}


@contextlib.contextmanager
def repeating(server, clients=3):
    """Sends x = 2 over and over; yields the list of answers."""
    answers, stop = [], threading.Event()

    def load():
        client = Client(server.url, "toy")
        while not stop.is_set():
            answers.append(client.predict({"x": [[2.0]]})["y"].item())

    threads = [threading.Thread(target=load) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_full_queue_and_a_stop_that_answers_what_is_under_way(toy_versions, tmp_path, number):
    flags = ("--max_queue", 1, "--max_batch_size", 1)
    with serving(toy_versions, tmp_path, *flags) as server:
        answers = []

        def slow():
            answers.append(server.predict({"signature_name": "wait", "instances": [1.0]}))

        in_threads([slow] * 12)
        refused = [answer for status, answer in answers if status == 503]
        assert {status for status, _ in answers} == {200, 503}
        assert "busy" in refused[0]["error"]

        def stop():
            time.sleep(0.5)
            server.process.send_signal(number)

        answers.clear()
        in_threads([slow, stop])
        assert answers == [(200, {"predictions": [1]})]
        assert server.process.wait(20) == 0
        assert "Traceback" not in server.log.read_text()


def in_threads(functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "oasis_tf.serve", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "flags, message",
    [
        ((), "--model_base_path"),
        (("--model_base_path", "/no/such/place"), "must be a directory"),
        (("--model_base_path", ".", "--port", "99999"), "--port"),
        (("--model_base_path", ".", "--host", "256.1.1.1"), "--host"),
        (("--model_base_path", ".", "--max_queue", "0"), "must be positive"),
        (("--model_base_path", ".", "--timeout", "soon"), "--timeout"),
        (("--model_base_path", ".", "--cors_origin", "localhost:3000"), "without a path, or *"),
        (("--model_base_path", ".", "--cors_origin", "http://a.b/c"), "without a path, or *"),
    ],
)
def test_bad_flags(flags, message):
    result = run(*flags)
    assert result.returncode == 2
    assert message in result.stderr and "Traceback" not in result.stderr


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("--model_base_path", ".", "--port", port)
    assert result.returncode == 2
    assert str(port) in result.stderr
