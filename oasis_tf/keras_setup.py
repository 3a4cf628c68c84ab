"""Keras as this software needs it: every module that uses it takes `keras` from here.

Keras reads `~/.keras/keras.json`, which another project may have written, when it is imported.
Its backend is chosen before that, in `data_pipeline/__init__.py`.
"""

import keras

from data_pipeline.errors import OasisError
from oasis_tf.console import say

__all__ = ["keras"]


class KerasError(OasisError, RuntimeError):
    """Keras was imported in another way than this software needs."""


def _set_up():
    if keras.backend.backend() != "tensorflow":
        raise KerasError(
            "Keras must run on TensorFlow here: set KERAS_BACKEND=tensorflow, or import oasis_tf "
            f"before keras. Received: {keras.backend.backend()}, in a process that had imported it"
        )
    config = keras.config
    for what, needed, is_set, change in (
        ("floatx", "float32", config.floatx, config.set_floatx),
        # After floatx, of which it is made where it was not set.
        ("dtype_policy", "float32", lambda: config.dtype_policy().name, config.set_dtype_policy),
        (
            "image_data_format",
            "channels_last",
            config.image_data_format,
            config.set_image_data_format,
        ),
    ):
        if is_set() != needed:
            say(f"note: Keras is set to {what} {is_set()}; {needed} is used in this process")
            change(needed)


_set_up()
