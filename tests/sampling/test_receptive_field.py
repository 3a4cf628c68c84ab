"""The reach against influence spread step by step, and against a generator."""

import numpy as np
import tensorflow as tf
from scipy import ndimage

from oasis_tf.models.generator import Generator
from oasis_tf.sampling.receptive_field import reach


def spread(changed, radius):
    return ndimage.maximum_filter(changed, 2 * radius + 1)


def influenced(changed):
    """Which pixels depend on a changed one: bool (H, W) -> bool (H, W), forwards."""
    x = spread(changed[::32, ::32], 1)
    for scale in (32, 16, 8, 4, 2, 1):
        if scale != 32:
            x = x.repeat(2, axis=0).repeat(2, axis=1)
        spade = spread(changed[::scale, ::scale], 2)
        y = spread(spread(x | spade, 1) | spade, 1)
        x = x | y | spade
    return spread(x, 1)


def test_against_spreading_step_by_step():
    farthest = 0
    for place in range(480, 512):
        changed = np.zeros((32, 992), bool)
        changed[place % 32, place] = True
        columns = np.flatnonzero(influenced(changed).any(axis=0))
        farthest = max(farthest, place - columns.min(), columns.max() - place)
    assert farthest == reach()


def test_a_generator_changes_within_its_reach_only(rng):
    generator = Generator(2, base_channels=1, noise_channels=3, hidden=8, gain=2.0)
    noise = rng.normal(size=(1, 2, 3)).astype(np.float32)
    label_map = np.zeros((1, 32, 640), np.int32)
    noise_map = np.zeros((1, 32, 640), np.int32)
    edited = noise_map.copy()
    edited[:, :, 320:] = 1
    pictures = [generator(label_map, tf.constant(noise), m).numpy() for m in (noise_map, edited)]
    difference = np.abs(pictures[0] - pictures[1]).max(axis=(0, 1, 3))  # (640,)
    assert difference[: 320 - reach()].max() < 1e-6
    assert difference[320 - reach() // 2 :].max() > 1e-3
    assert (difference[320 - 64 : 320] > 1e-6).all()
