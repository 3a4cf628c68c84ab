"""A toy generator with everything a trained one has, and what a `ModelInfo` says of it."""

import keras
import tensorflow as tf

from data_pipeline.labels.legend import Legend
from data_pipeline.labels.palette import default_palette
from oasis_tf.config import Config
from oasis_tf.models.generator import Generator
from oasis_tf.serving.exporting.model_info import ModelInfo

CLASSES = 5


def toy_generator(num_classes=CLASSES, seed=0):
    """A narrow `Generator` whose statistics and singular vectors have been moved by training."""
    keras.utils.set_random_seed(seed)
    generator = Generator(num_classes, base_channels=1, noise_channels=4, hidden=6, gain=1.0)
    for step in range(3):
        label_map = tf.random.stateless_uniform((2, 8, 16), (seed, step), 0, num_classes, tf.int32)
        label_map = tf.repeat(tf.repeat(label_map, 8, 1), 8, 2)
        noise = tf.random.stateless_normal((2, 4), (seed, step))
        generator(label_map, noise, training=True)
    return generator


def toy_info(num_classes=CLASSES, label_ids=None, **options):
    """A `ModelInfo` with image_size (64, 128)."""
    names = ("unlabelled", *(f"class {i}" for i in range(1, num_classes)))
    palette = tuple(map(tuple, default_palette(num_classes).tolist()))
    config = Config(
        "toy",
        image_size=(64, 128),
        generator_channels=1,
        noise_channels=4,
        spade_channels=6,
    )
    return ModelInfo(Legend(names, palette, label_ids), config, **options)
