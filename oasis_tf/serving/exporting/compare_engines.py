"""How far another engine's pictures are from TensorFlow's."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data_pipeline.errors import OasisError
from oasis_tf.serving.exporting.plain_generator import draw_plainly
from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations

TOLERANCE = 1e-4


class EngineDiffers(OasisError, RuntimeError):
    """Another engine draws other pictures."""


class Differences(NamedTuple):
    """The differences of the numbers of pictures, in [-1, 1].

    Attributes:
        engine: the largest from TensorFlow with the weights of the file: what the engine does.
        trained: the largest from the generator as it was trained: that, and the rounding of the
            weights.
        mean: as `trained`, of all numbers; the mean of the label map where it is largest.
    """

    engine: float
    trained: float
    mean: float


def compare_engines(generator, weights, image_size, draw):
    """Draws label maps with another engine and with TensorFlow.

    Args:
        generator: a `Generator`.
        weights: `PlainWeights` that the engine's file holds.
        image_size: (height, width) of most of the label maps.
        draw: the engine: (label_map, noise, noise_map) as `draw_plainly` takes them, as arrays, to
            an array (B, H, W, 3).

    Returns:
        `Differences`.

    Raises:
        EngineDiffers: the engine is more than `TOLERANCE` from TensorFlow, or no number.
    """
    found = []
    for inputs in _samples(generator.num_classes, generator.noise_channels, image_size):
        given = [tf.constant(array) for array in inputs]
        same = draw_plainly(weights, TensorFlowOperations(), *given)
        drawn = draw(*inputs)
        engine, trained = (np.abs(drawn - right) for right in (same, generator(*given)))
        found.append([engine.max(), trained.max(), trained.mean()])
    differences = Differences(*map(float, np.max(found, axis=0)))
    if not differences.engine <= TOLERANCE:  # nor is NaN
        raise EngineDiffers(
            f"the engine must draw TensorFlow's pictures to {TOLERANCE} in [-1, 1]; nothing was "
            f"written. Received: a difference of {differences.engine:.2g}"
        )
    return differences


def _samples(num_classes, noise_channels, image_size):
    """Label maps of pixels and of blocks, with as varied noise; the last are of another size."""
    rng = np.random.default_rng(0)
    for count, size, block in (
        (1, image_size, 1),
        (2, image_size, 16),
        (1, image_size, 23),
        (1, (64, 32), 8),
    ):
        label_map, noise_map = (
            _blocks(rng, ids, count, size, side) for ids, side in ((num_classes, block), (3, 11))
        )
        yield label_map, rng.normal(size=(count, 3, noise_channels)).astype(np.float32), noise_map


def _blocks(rng, ids, count, size, side):
    height, width = size
    small = rng.integers(0, ids, (count, -(-height // side), -(-width // side)), dtype=np.int32)
    return small.repeat(side, axis=1).repeat(side, axis=2)[:, :height, :width]
