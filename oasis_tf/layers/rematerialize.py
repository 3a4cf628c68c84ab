"""Gradients for which a function runs again, instead of keeping all that it computed."""

import contextlib
import threading

import tensorflow as tf

__all__ = ["once", "rematerialize"]


class _Pass(threading.local):
    """The pass that this thread makes: each replica of a strategy has a thread of its own."""

    once = staticmethod(lambda function: function())


_current = _Pass()


def once(function):
    """Calls a function that must not be called again when `rematerialize` repeats a pass.

    For what a layer's training pass does beside its result: a power iteration, running statistics.

    Args:
        function: takes no arguments and returns tensors, which are kept for the gradient. No
            gradient may pass through them.

    Returns:
        what `function()` returns; in a repetition, what it returned in the first pass.
    """
    return _current.once(function)


def rematerialize(function):
    """The same function, of which only the inputs are kept for the gradient.

    When the gradient arrives it runs again: memory is paid for with time. Inside a
    `tf.function` only; eagerly nothing is saved.

    Args:
        function: of float tensors, as positional arguments, and of anything as keyword arguments,
            to a float tensor. Whatever it does beside its result has to be inside of `once`.

    Returns:
        A function of the same arguments. Gradients pass through positional arguments and variables.

    Reference: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.

    >>> x = tf.constant([3.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = rematerialize(tf.square)(x)
    >>> tape.gradient(y, x).numpy().tolist()
    [6.0]
    """

    def wrapped(*inputs, **options):
        kept = []

        def keep(side_effect):
            kept.append(side_effect())
            return kept[-1]

        @tf.custom_gradient
        def run(*inputs):
            with _once(keep):
                y = function(*inputs, **options)

            def gradient(upstream, variables=()):
                results = iter(kept)
                # Delay the second pass until the upstream gradient has arrived; otherwise its
                # tensors lie in memory until then, and TensorFlow may merge it with the first.
                with (
                    tf.control_dependencies([upstream]),
                    tf.GradientTape(watch_accessed_variables=False) as tape,
                    _once(lambda _: next(results)),
                ):
                    again = [tf.identity(x) for x in inputs]
                    sources = [*again, *variables]
                    tape.watch(sources)
                    y = function(*again, **options)
                gradients = tape.gradient(y, sources, upstream)
                return gradients[: len(inputs)], gradients[len(inputs) :]

            return y, gradient

        return run(*inputs)

    return wrapped


@contextlib.contextmanager
def _once(function):
    """Lets `once` do this, in this thread."""
    before, _current.once = _current.once, function
    try:
        yield
    finally:
        _current.once = before
