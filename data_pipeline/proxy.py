"""Workers and data services are reached without an HTTP proxy."""

import os


def reach_own_machines():
    """Has TensorFlow reach workers and data services without the proxy of `http_proxy`.

    gRPC, which they speak, would ask the proxy even for localhost. For it alone an empty
    `grpc_proxy` means none; downloads still take theirs. A value that the user has set stays.
    To be called before TensorFlow opens a connection.
    """
    os.environ.setdefault("grpc_proxy", "")
