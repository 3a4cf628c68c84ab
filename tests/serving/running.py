"""Starts servers, as a command in a process of its own or in a thread, and talks to them."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

import uvicorn

from oasis_tf.serving.client import Client
from oasis_tf.serving.server.app import Limits, create_app
from oasis_tf.serving.server.servable import Servable
from oasis_tf.serving.server.versions import VersionManager


class Server:
    """A running server.

    Attributes:
        url: `http://HOST:PORT`.
        model: the model's name.
        process: the `subprocess.Popen`; None for one in a thread.
        log: path of what it writes to stderr, or None.
    """

    def __init__(self, url, model, process=None, log=None):
        self.url, self.model, self.process, self.log = url, model, process, log

    def connect(self, timeout=30):
        """A new `http.client.HTTPConnection`."""
        parts = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        """(status, headers, bytes) of one request on a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def predict(self, body, path=None):
        """(status, decoded JSON) of a predict call; `body` is bytes, str or JSON-able."""
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        path = path or f"/v1/models/{self.model}:predict"
        status, headers, content = self.request("POST", path, body)
        assert headers["content-type"] == "application/json"
        return status, json.loads(content)

    def access_lines(self):
        """The access log so far: list of dicts."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["message"] == "request"]


@contextlib.contextmanager
def serving(base_path, directory, *flags, model="toy", wait=True):
    """Runs a server for a directory of versions.

    Args:
        base_path: `--model_base_path`.
        directory: where its log goes.
        *flags: more of the command line.
        model: `--model_name`.
        wait: return only once a version is available.

    Yields:
        `Server`.
    """
    log = directory / "server.log"
    command = [sys.executable, "-m", "oasis_tf.serve", "--port", "0", "--model_name", model]
    command += ["--model_base_path", str(base_path), *map(str, flags)]
    with open(log, "w") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=os.environ
        )
    try:
        line = process.stdout.readline()
        assert "http://" in line, log.read_text()
        server = Server(line.split()[-1].rstrip("/"), model, process, log)
        if wait:
            Client(server.url, model).wait_until_available()
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def serving_here(base_path, model, *, wait=True):
    """Runs a server in a thread, which need not import TensorFlow again.

    Args:
        base_path: directory of versions.
        model: the model's name.
        wait: return only once a version is available.

    Yields:
        `Server`.
    """
    app = create_app(model, VersionManager(base_path, Servable), Limits())
    runner = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            if wait:
                Client(url, model).wait_until_available()
            yield Server(url, model)
        finally:
            runner.should_exit = True
            thread.join()
