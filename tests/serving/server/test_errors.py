import pytest
import tensorflow as tf

from oasis_tf.serving.server.errors import from_op_error

# As TensorFlow writes it for an operation in a loaded model.
ACCOUNT = """Graph execution error:

Detected at node Assert/Assert defined at (most recent call last):
<stack traces unavailable>
assertion failed: [x must be even. Received: [1 2]]
\t [[{{node Assert/Assert}}]]
\t [[cond/then/_1]] [Op:__inference_signature_wrapper_1]"""


@pytest.mark.parametrize(
    "error, status",
    [
        (tf.errors.InvalidArgumentError, 400),
        (tf.errors.NotFoundError, 404),
        (tf.errors.ResourceExhaustedError, 429),
        (tf.errors.InternalError, 500),
        (tf.errors.UnimplementedError, 501),
        (tf.errors.UnavailableError, 503),
        (tf.errors.DeadlineExceededError, 504),
    ],
)
def test_statuses(error, status):
    assert from_op_error(error(None, None, "reason")).status == status


@pytest.mark.parametrize(
    "message, said",
    [
        ("reason", "reason"),
        (ACCOUNT, "x must be even. Received: [1 2]"),
        ("Invalid PNG [[{{node decode}}]] [Op:DecodePng]", "Invalid PNG"),
        ("assertion failed: [one] [two]", "assertion failed: [one] [two]"),
        ("", ""),
    ],
)
def test_what_is_said(message, said):
    assert from_op_error(tf.errors.InvalidArgumentError(None, None, message)).message == said
