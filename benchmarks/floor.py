"""The floor: operations that must be done over the rate a large matrix product reaches.

Counted are the multiply-adds of convolutions and matrix products after every exact rewrite:
convolutions joined with the resampling beside them, 1x1 convolutions on the small side, SPADE on
distinct patches, look-ups for one-hot convolutions, LabelMix through the last layer's Gram
matrix. Not counted, so the floor is low: everything elementwise, sums of looked-up rows, power
iterations, optimisers, and traffic to memory.
"""

import itertools

import numpy as np
import tensorflow as tf

from benchmarks.plain import DISCRIMINATOR_WIDTHS, GENERATOR_SCALES, GENERATOR_WIDTHS

__all__ = [
    "discriminator_multiply_adds",
    "discriminator_update_multiply_adds",
    "floor",
    "generator_multiply_adds",
    "matmul_side",
    "step_multiply_adds",
]

MATMUL_SIZE = 4096


def generator_multiply_adds(counts, *, base_channels, noise_channels, hidden):
    """Multiply-adds of one forward pass of the generator.

    Args:
        counts: `benchmarks.labels.PatchCounts` of the batch.
        base_channels, noise_channels, hidden: as for the networks.

    Returns:
        int.
    """
    widths = [w * base_channels for w in GENERATOR_WIDTHS]

    def look_up(channels):
        # The noise part of the table, (regions, Z) x (Z, 9 C); labels are gathered.
        return counts.regions * noise_channels * 9 * channels

    def spade(patches3, channels):
        # gamma and beta of every tap from each distinct 3x3 patch; sums make the 5x5 ones.
        return look_up(hidden) + patches3 * hidden * 9 * 2 * channels

    total = look_up(widths[0])
    for scale, (a, b) in zip(GENERATOR_SCALES, itertools.pairwise(widths), strict=True):
        pixels, patches3, _ = counts.levels[scale]
        middle = min(a, b)
        total += spade(patches3, a) + spade(patches3, middle)
        total += 9 * pixels * (a * middle + middle * b)
        if a != b:
            total += spade(patches3, a) + pixels * a * b
    return total + 9 * counts.levels[1][0] * widths[-1] * 3


def discriminator_multiply_adds(pixels, *, base_channels):
    """Multiply-adds of one forward pass of the discriminator up to its last features.

    Args:
        pixels: B * H * W.
        base_channels: as for the network.

    Returns:
        int.
    """
    widths = [w * base_channels for w in DISCRIMINATOR_WIDTHS]
    total = 0
    for a, b in itertools.pairwise([3, *widths]):
        small = pixels // 4
        total += 9 * pixels * a * b + 16 * small * b * b
        total += small * a * b if a != b else 0
        pixels = small
    outputs = [*widths[-2::-1], base_channels]
    inputs = [widths[-1], *(2 * w for w in outputs[:-1])]
    for a, b in zip(inputs, outputs, strict=True):
        large = 4 * pixels
        total += 4 * large * a * b + 9 * large * b * b
        total += pixels * a * b if a != b else 0
        pixels = large
    return total


def discriminator_update_multiply_adds(pixels, num_classes, *, base_channels):
    """Forward and backward of the discriminator on fake, real and mixed pictures.

    Args:
        pixels: B * H * W of one of the three.
        num_classes: N.
        base_channels: as for the network.
    """
    features = 3 * discriminator_multiply_adds(pixels, base_channels=base_channels)
    # Both cross-entropies need all logits, the LabelMix loss only d^T (W^T W) d.
    last = 2 * pixels * base_channels * (num_classes + 1) + pixels * base_channels**2
    # Backward: one product for the inputs' gradient and one for the weights'.
    return 3 * (features + last)


def step_multiply_adds(counts, num_classes, *, base_channels, noise_channels, hidden):
    """Multiply-adds of one training step: both updates, with a generator's forward in each.

    Args:
        counts: `benchmarks.labels.PatchCounts` of the batch.
        num_classes: N.
        base_channels, noise_channels, hidden: as for the networks.
    """
    pixels = counts.levels[1][0]
    drawn = generator_multiply_adds(
        counts, base_channels=base_channels, noise_channels=noise_channels, hidden=hidden
    )
    judged = discriminator_multiply_adds(pixels, base_channels=base_channels)
    judged += pixels * base_channels * (num_classes + 1)
    # The generator's update needs no gradient of the discriminator's weights.
    generator_update = 3 * drawn + 2 * judged
    return (
        generator_update
        + drawn
        + discriminator_update_multiply_adds(pixels, num_classes, base_channels=base_channels)
    )


def matmul_side(dtype, quick):
    """A large square matrix product, as a side to be timed: (name, function)."""
    size = _matmul_size(quick)
    a = tf.cast(tf.random.stateless_normal((size, size), (0, 1)), dtype)
    return ("matmul", dtype), lambda: float(tf.matmul(a, a)[0, 0])


def floor(multiply_adds, seconds, dtype, quick):
    """The time that one side cannot go below on this machine.

    Args:
        multiply_adds: list of counts, one for each label map; the median counts.
        seconds: from `interleave`, with `matmul_side`'s among its sides.
        dtype: of the matrix product, "float32" or "bfloat16".
        quick: as for `matmul_side`.

    Returns:
        dict of `giga_operations`, `giga_operations_per_second` and `seconds`.
    """
    # The best of all: what the machine can do when nothing else holds it up.
    rate = 2 * _matmul_size(quick) ** 3 / min(seconds["matmul", dtype])
    operations = 2 * float(np.median(multiply_adds))
    return {
        "giga_operations": operations / 1e9,
        "giga_operations_per_second": rate / 1e9,
        "dtype": dtype,
        "seconds": operations / rate,
    }


def _matmul_size(quick):
    return 64 if quick else MATMUL_SIZE
