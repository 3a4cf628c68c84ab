"""Serves a SavedModel: `python -m oasis_tf.serve --model_base_path saved_models/NAME`."""

import argparse
import contextlib
import logging
import signal
import socket
import sys
import urllib.parse

from data_pipeline.errors import DataError
from oasis_tf.console import report
from oasis_tf.hub.address import HubAddress
from oasis_tf.model_path import ModelPathAction, check_model_path, local_model
from oasis_tf.tf_setup import quick_graphs, quiet_log


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.serve",
        description="Serves the newest version of a SavedModel with TensorFlow Serving's REST "
        "API, and an editor page at /.",
    )
    parser.add_argument(
        "--model_base_path",
        required=True,
        action=ModelPathAction,
        metavar="PATH",
        help="directory whose numbered children are the versions; or a model on the Hugging Face "
        "Hub, hf://USER/NAME or hf://USER/NAME@REVISION",
    )
    parser.add_argument("--model_name", help="defaults to the directory's name")
    parser.add_argument("--host", default="127.0.0.1", help="defaults to this machine only")
    parser.add_argument("--port", type=_port, default=8501, help="0 takes a free one")
    parser.add_argument(
        "--cors_origin",
        action="append",
        default=[],
        type=_origin,
        metavar="ORIGIN",
        help="pages of this origin, such as http://localhost:3000, may call the REST API; several "
        "times for several, * for all. Defaults to none but the server's own",
    )
    for name, default, text in (
        ("max_body_mib", 64, "size of a request"),
        ("max_pixels", 1 << 24, "pixels of the PNG files of one input of a request, together"),
        ("max_batch_size", 16, "rows of concurrent requests that are joined; 1 joins none"),
        ("max_queue", 256, "requests that may wait; further ones get 503"),
        ("timeout", 30.0, "seconds for a request to come, and then for its answer"),
    ):
        parser.add_argument(
            f"--{name}",
            type=_positive(type(default)),
            default=default,
            help=f"{text}. Defaults to {default}",
        )
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    arguments = parse_arguments(argv)
    given = arguments.model_base_path
    try:
        base_path = local_model(given, "--model_base_path")
        if not base_path.is_dir():
            return _refuse(f"--model_base_path must be a directory. Received: {base_path}")
        check_model_path(base_path, "--model_base_path")
    except DataError as error:
        return _refuse(error)
    # A directory of the Hub's cache is named for a commit.
    own_name = given.name if isinstance(given, HubAddress) else base_path.resolve().name
    name = arguments.model_name or own_name
    try:
        listener = _listen(arguments.host, arguments.port)
    except OSError as error:
        return _refuse(
            f"--host and --port must be free to listen on. Received: {arguments.host} "
            f"{arguments.port} ({error})"
        )
    with listener:
        return _serve(arguments, base_path, name, listener)


def _serve(arguments, base_path, name, listener):
    # Late, for TensorFlow takes seconds to import and mistakes should be told at once.
    quiet_log()

    try:
        import uvicorn

        from oasis_tf.serving.server.app import Limits, create_app
    except ModuleNotFoundError as error:
        return _refuse(
            'the server needs the extra serve: pip install -e ".[serve]". '
            f"Received: {error.name} not installed"
        )
    from oasis_tf.serving.server.access_log import JsonFormatter
    from oasis_tf.serving.server.servable import Servable
    from oasis_tf.serving.server.versions import VersionManager

    quick_graphs()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("oasis_tf.serving").setLevel(logging.INFO)
    # They tell at length of variables and gradients that are of no use to a server.
    for name_of_logger in ("tensorflow", "absl"):
        logging.getLogger(name_of_logger).setLevel(logging.ERROR)

    logging.getLogger("uvicorn.error").addFilter(_is_no_refused_offer)

    limits = Limits(
        max_body_bytes=arguments.max_body_mib << 20,
        max_pixels=arguments.max_pixels,
        max_batch_size=arguments.max_batch_size,
        max_queue=arguments.max_queue,
        timeout=arguments.timeout,
    )
    versions = VersionManager(base_path, Servable, tell=report)
    config = uvicorn.Config(
        create_app(name, versions, limits, arguments.cors_origin),
        # A client may offer another protocol ("Upgrade: h2c", as Java's does): the offer is
        # ignored, as it may be. The other parser would lose the body of such a request.
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=int(2 * arguments.timeout) + 1,
    )
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    report(f"editor    http://{host}:{port}/")
    report(f"REST API  http://{host}:{port}/v1/models/{urllib.parse.quote(name, safe='')}")
    report("Ctrl-C stops, once the requests under way are answered")
    with _quiet_signals():
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _is_no_refused_offer(record):
    """False for what uvicorn says of each offer of another protocol that is ignored."""
    return not record.getMessage().startswith(("Unsupported upgrade", "No supported WebSocket"))


@contextlib.contextmanager
def _quiet_signals():
    """uvicorn stops in good order on a signal and then raises it again, which would kill."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    old = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _listen(host, port):
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener


def _origin(text):
    parts = urllib.parse.urlsplit(text)
    rest = parts.path + parts.query + parts.fragment
    if text != "*" and (parts.scheme not in ("http", "https") or not parts.hostname or rest):
        raise argparse.ArgumentTypeError(
            f"must be http(s)://HOST[:PORT] without a path, or *. Received: {text}"
        )
    return text


def _port(text):
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"must be below 65536. Received: {text}")
    return port


def _positive(kind):
    def parse(text):
        number = kind(text)
        if not number > 0:
            raise argparse.ArgumentTypeError(f"must be positive. Received: {text}")
        return number

    parse.__name__ = kind.__name__
    return parse


def _refuse(message):
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
