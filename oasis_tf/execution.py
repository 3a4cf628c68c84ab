"""What computes, a CPU or an accelerator, TensorFlow's kernels or XLA, and what follows from it.

The one place where layers and losses ask.
"""

import contextlib
import functools
import threading

import tensorflow as tf

# What the loops over chunks hold at once. On a CPU logits stay in its cache, where a chunk's passes
# run fastest; an accelerator wants few large products, and has no cache of that kind to stay in.
_CHUNK_BYTES = {
    "CPU": {"logits": 2**23, "patches": 2**26},
    "accelerator": {"logits": 2**27, "patches": 2**28},
}


class _Tracing(threading.local):
    """What this thread traces: each replica of a strategy has a thread of its own."""

    by_xla = False


_tracing = _Tracing()


def by_xla():
    """Whether XLA will compile what is traced now: shapes are known then, and stay."""
    return _tracing.by_xla


@contextlib.contextmanager
def for_xla(wanted=True):
    """Inside, layers and losses take forms that XLA has kernels for.

    For what a strategy compiles by itself; everything else takes `compiled`.

    Args:
        wanted: False leaves everything as it is.
    """
    before, _tracing.by_xla = _tracing.by_xla, _tracing.by_xla or wanted
    try:
        yield
    finally:
        _tracing.by_xla = before


def compiled(function, jit_compile=True, **options):
    """A `tf.function` without autograph.

    Args:
        function: of tensors; what it does in Python is done once a graph.
        jit_compile: whether XLA compiles it, once for each set of shapes. All numbers that shapes
            are made of must come from the arguments' shapes then.
        **options: of `tf.function`.
    """

    @functools.wraps(function)
    def traced(*arguments, **named):
        with for_xla(jit_compile):
            return function(*arguments, **named)

    # None leaves it to the caller, whom XLA may compile; False would ask for no XLA in here.
    return tf.function(traced, autograph=False, jit_compile=jit_compile or None, **options)


def on_accelerator():
    """Whether TensorFlow sees a GPU, which then does all that has a kernel there."""
    return bool(tf.config.list_physical_devices("GPU"))


def avoids_counting():
    """Whether a size that depends on values costs more than the work that it saves.

    XLA must know all sizes, and a GPU would wait until the host has read one.
    """
    return by_xla() or on_accelerator()


def chunk_bytes(what):
    """How many bytes of intermediate results a loop over chunks holds at once.

    Args:
        what: "logits" of pixels, or hidden rows around "patches".
    """
    return _CHUNK_BYTES["accelerator" if on_accelerator() else "CPU"][what]
