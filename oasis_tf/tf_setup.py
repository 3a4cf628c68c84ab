"""How TensorFlow is set up by the commands."""

import os


def quiet_log():
    """Keeps TensorFlow's own messages off the terminal; before its first import.

    A value that the user has set stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def quick_graphs():
    """Switches TensorFlow's rewriting of graphs off where there is no GPU.

    It takes seconds for the graph of a training step and doubles the time a served model takes to
    load, and wins nothing on a CPU.
    """
    # Late, for a command imports TensorFlow only when its arguments are in order.
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
