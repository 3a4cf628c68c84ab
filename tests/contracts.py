"""What every network of ours must do, checked by one call each."""

import numpy as np
import tensorflow as tf


def assert_checkpointed_wholly(model, directory):
    """Saves, overwrites and restores a model: every variable must come back."""
    before = [v.numpy() for v in model.variables]
    path = tf.train.Checkpoint(model=model).save(str(directory / "checkpoint"))
    for variable in model.variables:
        variable.assign(tf.fill(variable.shape, 7.0))
    tf.train.Checkpoint(model=model).restore(path).assert_consumed()
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)
