"""The commands: what they print, how they stop, and what bad input gets."""

import signal
import socket
import subprocess

import pytest

from data_pipeline.reading.service_address import check_data_service
from data_pipeline.service import main
from tests.data_pipeline.servers import Servers


def fails(capsys, arguments, *texts):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    for text in texts:
        assert text in error


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken(capsys, tmp_path, busy_port):
    arguments = ["dispatcher", "--port", str(busy_port), "--work_dir", str(tmp_path)]
    fails(capsys, arguments, "--port must be free", str(busy_port))
    fails(capsys, ["worker", "--dispatcher", "localhost:1", "--port", str(busy_port)], "--port")


def test_a_work_dir_that_is_a_file(capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    arguments = ["dispatcher", "--port", "0", "--work_dir", str(tmp_path / "file")]
    fails(capsys, arguments, "--work_dir must be a writable directory")


@pytest.mark.slow
def test_a_worker_stops_when_its_dispatcher_is_gone(tmp_path):
    servers = Servers(tmp_path / "journal")
    try:
        servers.start_dispatcher()
        worker = servers.start_worker()
        servers.dispatcher.kill()
        servers.dispatcher.wait()
        # So that a heartbeat is on its way in vain.
        with socket.create_server(("", servers.port)) as listener:
            listener.settimeout(60)
            listener.accept()
        worker.terminate()
        assert worker.wait(timeout=30) == 0
    finally:
        servers.close()


@pytest.mark.parametrize("address", ["here", "a/b:1", "host:port", ":1", "host:70000", "::1:5"])
def test_an_address_that_is_none(capsys, address):
    fails(capsys, ["worker", "--dispatcher", address], "must be HOST:PORT", address)


@pytest.mark.parametrize("flags", [["dispatcher"], ["worker"], [], ["dispatcher", "--port", "x"]])
def test_usage(capsys, flags):
    with pytest.raises(SystemExit) as caught:
        main(flags)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.slow
def test_servers_start_and_stop(tmp_path):
    servers = Servers(tmp_path / "journal")
    try:
        servers.start_dispatcher()
        assert not check_data_service(servers.url)
        worker = servers.start_worker()
        assert check_data_service(servers.url)
        for process, number in ((worker, signal.SIGINT), (servers.dispatcher, signal.SIGTERM)):
            process.send_signal(number)
            assert process.communicate(timeout=30)[1] == ""
            assert process.returncode == 0
    except subprocess.TimeoutExpired:
        pytest.fail("a server does not stop")
    finally:
        servers.close()
