"""A tf.data service: `python -m data_pipeline.service dispatcher` and `... worker`.

Workers read, decode and augment for a training elsewhere; the dispatcher tells them what.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading

from data_pipeline.errors import DataError, first_line
from data_pipeline.paths import PathAction
from data_pipeline.proxy import reach_own_machines

_STOP_SECONDS = 5


def main(argv=None):
    """Runs the command line until SIGTERM or Ctrl-C.

    Args:
        argv: list of str. Defaults to the arguments of the process.

    Returns:
        exit code: 0 (stopped), 1 (the server could not start), 2 (bad input).
    """
    arguments = parse_arguments(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    reach_own_machines()
    stop = threading.Event()
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        server, line = arguments.start(arguments)
        print(line, flush=True)
        # The server's own join() would keep Python from hearing the signal.
        stop.wait()
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)
        if stopping.is_alive():
            # A worker goes on asking for a dispatcher that is gone, for an hour.
            os._exit(0)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _start_dispatcher(arguments):
    _check_port(arguments.port)
    try:
        arguments.work_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=arguments.work_dir):
            pass
    except OSError as error:
        raise DataError(f"--work_dir must be a writable directory. Received: {error}") from None
    import tensorflow as tf

    service = tf.data.experimental.service
    config = service.DispatcherConfig(
        port=arguments.port, work_dir=str(arguments.work_dir), fault_tolerant_mode=True
    )
    server = _started(lambda: service.DispatchServer(config), f"--work_dir {arguments.work_dir}")
    port = server.target.rpartition(":")[2]
    return server, f"dispatcher  port {port}; train --data_service grpc://HOST:{port}"


def _start_worker(arguments):
    from data_pipeline.reading.service_address import ask_dispatcher, own_host, split_address

    place = split_address(arguments.dispatcher, "--dispatcher")
    _check_port(arguments.port)
    ask_dispatcher(arguments.dispatcher, "--dispatcher")
    host = own_host(*place)
    import tensorflow as tf

    service = tf.data.experimental.service
    config = service.WorkerConfig(
        dispatcher_address=arguments.dispatcher,
        worker_address=f"{host}:%port%",
        port=arguments.port,
    )
    server = _started(lambda: service.WorkerServer(config), f"--dispatcher {arguments.dispatcher}")
    return server, f"worker      {host}, of the dispatcher {arguments.dispatcher}"


def _started(start, place):
    import tensorflow as tf

    try:
        return start()
    except (tf.errors.OpError, RuntimeError) as error:
        raise RuntimeError(f"{place}: {first_line(error)}") from None


def _check_port(port):
    # Here, for gRPC shares a port with whoever listens there already.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise DataError(f"--port must be free. Received: {port} ({error})") from None


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m data_pipeline.service",
        description="The input of a training on other machines: one dispatcher, any number of "
        "workers, and train --data_service grpc://HOST:PORT. Whoever reaches their ports "
        "commands them: for trusted networks only.",
    )
    roles = parser.add_subparsers(required=True, metavar="ROLE")

    dispatcher = roles.add_parser("dispatcher", help="tells the workers what to read")
    dispatcher.set_defaults(start=_start_dispatcher)
    dispatcher.add_argument(
        "--port", required=True, type=_port, metavar="P", help="0 takes any that is free"
    )
    dispatcher.add_argument(
        "--work_dir",
        required=True,
        action=PathAction,
        metavar="DIR",
        help="its journal; started again with the same, it goes on where it was",
    )

    worker = roles.add_parser("worker", help="reads, decodes and augments")
    worker.set_defaults(start=_start_worker)
    worker.add_argument("--dispatcher", required=True, metavar="HOST:PORT")
    worker.add_argument("--port", type=_port, default=0, metavar="P", help="default: any")
    return parser.parse_args(argv)


def _port(text):
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"must be below 65536. Received: {text}")
    return port


if __name__ == "__main__":
    sys.exit(main())
