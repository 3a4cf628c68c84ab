"""How a request fails: an HTTP status and a message, as TensorFlow Serving answers them."""

import http
import re

# The canonical codes of TensorFlow (tf.errors.*.error_code) and the HTTP status of each.
_STATUS_OF_CODE = {
    1: 499,  # CANCELLED
    2: 500,  # UNKNOWN
    3: 400,  # INVALID_ARGUMENT
    4: 504,  # DEADLINE_EXCEEDED
    5: 404,  # NOT_FOUND
    6: 409,  # ALREADY_EXISTS
    7: 403,  # PERMISSION_DENIED
    8: 429,  # RESOURCE_EXHAUSTED
    9: 400,  # FAILED_PRECONDITION
    10: 409,  # ABORTED
    11: 400,  # OUT_OF_RANGE
    12: 501,  # UNIMPLEMENTED
    13: 500,  # INTERNAL
    14: 503,  # UNAVAILABLE
    15: 500,  # DATA_LOSS
    16: 401,  # UNAUTHENTICATED
}


class ApiError(Exception):
    """An answer other than 200.

    Args:
        status: HTTP status code.
        message: one sentence for the person who sent the request.
    """

    def __init__(self, status, message):
        super().__init__(message)
        self.status = int(status)
        self.message = message


def bad_request(message):
    """An `ApiError` with status 400."""
    return ApiError(http.HTTPStatus.BAD_REQUEST, message)


def from_op_error(error):
    """Turns a `tf.errors.OpError` into an `ApiError`.

    Args:
        error: what an operation of the model's graph raised.

    Returns:
        An `ApiError` with the status of the error's code and the first part of its message:
        what follows is TensorFlow's account of where in the graph it happened.
    """
    lines = str(error.message).split("\n")
    # "Graph execution error:" opens an account of many lines; what happened comes last in it.
    said = next((line for line in lines if line and not _is_account(line)), lines[0])
    said = said.split(" [[{{node")[0].strip()
    # The form of an assertion with one message.
    match = re.fullmatch(r"assertion failed: \[(.*)\]", said)
    if match and "] [" not in said:
        said = match[1]
    return ApiError(_STATUS_OF_CODE.get(error.error_code, 500), said)


def _is_account(line):
    return line.startswith(("Graph execution error", "Detected at node", "  ", "\t", "[[", "<"))
