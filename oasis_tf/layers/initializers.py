"""How the released models start."""

from oasis_tf.keras_setup import keras


def xavier_normal(gain):
    """Normal with standard deviation gain * sqrt(2 / (fan in + fan out)), not truncated.

    Args:
        gain: positive float; the released models use 0.02.

    Returns:
        A `keras.initializers.Initializer`.

    Raises:
        ValueError: `gain` is not positive.
    """
    if not gain > 0:
        raise ValueError(f"`gain` must be positive. Received: {gain}")
    return keras.initializers.VarianceScaling(
        scale=gain**2, mode="fan_avg", distribution="untruncated_normal"
    )
