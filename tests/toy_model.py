"""A directory as a training run leaves it, with tiny networks that have never been trained."""

import dataclasses

import keras
import tensorflow as tf

from data_pipeline.labels.legend import Legend
from oasis_tf.config import save_config
from oasis_tf.configs import PRESETS
from oasis_tf.models.build import build_discriminator, build_generator

LEGEND = Legend(
    ("unlabelled", "sky", "sea", "sand", "sea shell"),
    ((40, 40, 40), (120, 180, 250), (20, 60, 160), (220, 200, 120), (250, 250, 250)),
    {0: 1, 1: 2, 2: 3, 3: 4, 255: 0},
)


def toy_config(**changes):
    """Widths of one, and initial weights at which noise shows in the pictures."""
    small = dict(
        image_size=(64, 128),
        generator_channels=1,
        discriminator_channels=1,
        spade_channels=4,
        noise_channels=3,
        init_gain=2.0,
    )
    return dataclasses.replace(PRESETS["folder"], **{**small, **changes})


def write_model_dir(path, *, config=None, legend=LEGEND, best=True, seed=1):
    """Writes `config.json` and a checkpoint; returns the dict of networks."""
    config = config or toy_config()
    keras.utils.set_random_seed(seed)
    networks = {
        "generator": build_generator(config, legend.num_classes),
        "ema_generator": build_generator(config, legend.num_classes),
        "discriminator": build_discriminator(config, legend.num_classes),
    }
    path.mkdir(exist_ok=True)
    save_config(path, config, {**legend.to_json(), "shards": {}})
    save_checkpoint(path, networks, "best" if best else "checkpoints", step=10)
    return networks


def save_checkpoint(path, networks, directory, step):
    """Writes one more checkpoint of the networks."""
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(**networks),
        str(path / directory),
        max_to_keep=1,
        checkpoint_name="step",
    )
    manager.save(checkpoint_number=step)
