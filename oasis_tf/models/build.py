"""The two networks of a configuration."""

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator


def build_generator(config, num_classes):
    """A fresh `Generator` of the widths that a `Config` says."""
    return Generator(
        num_classes,
        base_channels=config.generator_channels,
        noise_channels=config.noise_channels,
        hidden=config.spade_channels,
        gain=config.init_gain,
        spade_gain=config.spade_gain,
        rematerialize=config.rematerialize,
        dtype=config.precision,
    )


def build_discriminator(config, num_classes):
    """A fresh `Discriminator` of the width that a `Config` says."""
    return Discriminator(
        num_classes,
        base_channels=config.discriminator_channels,
        gain=config.init_gain,
        rematerialize=config.rematerialize,
        dtype=config.precision,
    )
