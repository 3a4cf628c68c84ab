"""What the guarded start costs a step at full width: `python -m experiments.start.cost`."""

import statistics
import sys
import time

import numpy as np
import tensorflow as tf

from oasis_tf.layers.spectral_conv import refine
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.tf_setup import quick_graphs
from oasis_tf.training.gradient_clip import GradientClip
from oasis_tf.training.trainer import POWER_ITERATIONS

_REPEATS = 7


def main():
    """Prints medians in milliseconds; returns the exit code."""
    quick_graphs()
    models = Generator(151), Discriminator(151)
    variables = [v for model in models for v in model.trainable_variables]
    gradients = [tf.identity(v.value) for v in variables]
    clip = GradientClip()

    def clipped():
        clipped, _ = clip(gradients, tf.linalg.global_norm(gradients))
        # One number of each, so that nothing is left out.
        return tf.add_n([tf.reshape(g, [-1])[0] for g in clipped])

    def refined():
        for model in models:
            refine(model, POWER_ITERATIONS)

    weights = sum(int(np.prod(v.shape)) for v in variables)
    print(f"{weights / 1e6:.1f}M weights, medians of {_REPEATS}")
    for name, function in (
        ("norm of all gradients, as ever", lambda: tf.linalg.global_norm(gradients)),
        ("norm and clipping", clipped),
        (f"{POWER_ITERATIONS} power iterations of both networks", refined),
    ):
        graph = tf.function(function, autograph=False)
        graph()
        print(f"{name:<40} {1000 * statistics.median(_seconds(graph)):.1f} ms")
    return 0


def _seconds(function):
    for _ in range(_REPEATS):
        start = time.perf_counter()
        function()
        yield time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
