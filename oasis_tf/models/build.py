"""The two networks of a configuration."""

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.models.real_fake_discriminator import RealFakeDiscriminator

_DISCRIMINATORS = {"segmentation": Discriminator, "real_fake": RealFakeDiscriminator}


def build_generator(config, num_classes):
    """A fresh `Generator` of the widths that a `Config` says."""
    return Generator(
        num_classes,
        base_channels=config.generator_channels,
        noise_channels=config.noise_channels,
        noise_layers=config.noise_layers,
        hidden=config.spade_channels,
        gain=config.init_gain,
        spade_gain=config.spade_gain,
        rematerialize=config.rematerialize,
        dtype=config.precision,
    )


def build_discriminator(config, num_classes):
    """A fresh `Discriminator` of the kind and width that a `Config` says."""
    return _DISCRIMINATORS[config.discriminator](
        num_classes,
        base_channels=config.discriminator_channels,
        gain=config.init_gain,
        rematerialize=config.rematerialize,
        dtype=config.precision,
    )
