import errno
import os

import pytest
import tensorflow as tf

from oasis_tf.config import ConfigError
from oasis_tf.training.disk import explain_disk_error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_cannot_be_written(number):
    words = os.strerror(number)
    for error in (
        OSError(number, words),
        tf.errors.ResourceExhaustedError(None, None, f"runs/a/step-8_temp/part; {words}"),
    ):
        explained = explain_disk_error("runs/a", error)
        assert isinstance(explained, ConfigError)
        assert "runs/a" in str(explained) and f"Received: {words}" in str(explained)
        assert "\n" not in str(explained)


def test_another_error():
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    assert explain_disk_error("runs/a", error) is error
