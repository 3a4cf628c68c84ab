"""Gradients that hold constant what a second derivative would need.

Those of batch norm in training and of a spectrally normalised kernel. All other gradients of our
own are right when differentiated again (`tests/layers/test_second_derivatives.py`).
"""

import tensorflow as tf

_HINT = (
    "(A tf.function that is called inside of two tapes is asked for second derivatives that nobody "
    "needs: open both tapes inside of it.)"
)


def first_order(gradient, name, instead):
    """The gradient itself; whoever differentiates through it is told that it would be wrong.

    For a gradient that is right, but is written with numbers that come as constants and do depend
    on its inputs. Its own derivative would be a plausible, wrong number: in a penalty on
    gradients, for example. Costs nothing but an identity.

    Args:
        gradient: float tensor of any shape.
        name: str, the layer, and what the gradient belongs to.
        instead: str, what to do instead.

    Returns:
        the same tensor; its gradient raises NotImplementedError, naming both.

    >>> x = tf.constant(2.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = first_order(x**2, "Square", "use x * x")
    >>> tape.gradient(y, x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    NotImplementedError: Square has first derivatives only; use x * x. (A tf.function that is ...
    """

    @tf.custom_gradient
    def identity(gradient):
        def second(*_):
            raise NotImplementedError(f"{name} has first derivatives only; {instead}. {_HINT}")

        return tf.identity(gradient), second

    return identity(gradient)
