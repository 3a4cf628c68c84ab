"""Where a tf.data service is, and whether it answers."""

import socket

import grpc

from data_pipeline.errors import DataError

_SERVICE = "/tensorflow.data.DispatcherService"


def split_address(text, argument):
    """Splits `HOST:PORT` or `[IPV6]:PORT`.

    Args:
        text: the address.
        argument: name of the argument it came from, for the message.

    Returns:
        host str without brackets, and port int in [1, 65535].

    Raises:
        DataError: it is something else.

    >>> split_address("[::1]:5050", "--dispatcher")
    ('::1', 5050)
    """
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    plain = host and not set(host) & set("/@[] ") and bracketed == (":" in host)
    if not (plain and port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise DataError(f"{argument} must be HOST:PORT. Received: {text}")
    return host, int(port)


def check_data_service(url, timeout=10.0):
    """Asks the dispatcher of a tf.data service whether it is one.

    Args:
        url: `grpc://HOST:PORT`.
        timeout: seconds to wait for an answer.

    Returns:
        bool, whether any worker has registered.

    Raises:
        DataError: another form of address, or no dispatcher answers there in time.
    """
    scheme, separator, address = url.partition("://")
    if scheme != "grpc" or not separator:
        raise DataError(f"--data_service must be grpc://HOST:PORT. Received: {url}")
    split_address(address, "--data_service grpc://")
    return ask_dispatcher(address, "--data_service", timeout)


def ask_dispatcher(address, argument, timeout=10.0):
    """As `check_data_service`, of `HOST:PORT`; `argument` is named in the message."""
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            # Bytes in, bytes out: an empty message asks, and an empty list of workers is no byte.
            channel.unary_unary(f"{_SERVICE}/GetVersion")(b"", timeout=timeout, wait_for_ready=True)
            return bool(channel.unary_unary(f"{_SERVICE}/GetWorkers")(b"", timeout=timeout))
        except grpc.RpcError as error:
            slow = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            found = f"no answer in {timeout:g} seconds" if slow else error.details()
            raise DataError(
                f"{argument} must be the address of a running dispatcher "
                f"(python -m data_pipeline.service dispatcher). Received: {address}, {found}"
            ) from None


def own_host(dispatcher_host, dispatcher_port):
    """The address of this machine that a dispatcher's network knows it by, for `HOST:PORT`."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        dispatcher_host, dispatcher_port, type=socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(address)  # sends nothing, but chooses the route
        host = probe.getsockname()[0]
    return f"[{host}]" if ":" in host else host
