import socket

import pytest

from data_pipeline.errors import DataError
from data_pipeline.reading.service_address import check_data_service, own_host, split_address


def test_split_address():
    assert split_address("data-0.example:5050", "x") == ("data-0.example", 5050)
    assert split_address("[fe80::1]:65535", "x") == ("fe80::1", 65535)


@pytest.mark.parametrize("url", ["localhost:5050", "http://localhost:5050", "grpc://", "grpc://a"])
def test_another_form_of_address(url):
    with pytest.raises(DataError, match=r"--data_service.*must be.*HOST:PORT. Received: "):
        check_data_service(url)


def test_nobody_there():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    with pytest.raises(DataError, match=f"running dispatcher.*localhost:{port}"):
        check_data_service(f"grpc://localhost:{port}", timeout=0.3)


def test_somebody_who_does_not_answer():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(DataError, match=r"no answer in 0.3 seconds"):
            check_data_service(f"grpc://localhost:{port}", timeout=0.3)


def test_own_host():
    assert own_host("127.0.0.1", 5050) == "127.0.0.1"
