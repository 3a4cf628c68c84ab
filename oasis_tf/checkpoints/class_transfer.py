"""Weights of a model of other classes: those of the classes that both have, by name."""

import numpy as np

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.real_fake_discriminator import RealFakeDiscriminator


def take_classes(network, source, pairs):
    """Sets a network's weights from one of the same widths and other classes.

    Tensors without a class axis are taken whole. Of the others (the label rows of the generator's
    first convolution and of each SPADE's hidden one, the channels of the discriminator's last) the
    rows of the classes in `pairs` are taken, and the rest stay as they are.

    Args:
        network: `Generator` or a discriminator, changed in place.
        source: another of the same kind and widths.
        pairs: list of (class id in `network`, class id in `source`).

    Raises:
        ValueError: the networks are not of the same widths.
    """
    here, there = np.array(pairs, int).reshape(-1, 2).T
    axes = _class_axes(network)
    for variable, other in zip(network.variables, source.variables, strict=True):
        value = other.numpy()
        if id(variable) in axes:
            axis, before = axes[id(variable)]
            value, new = np.moveaxis(variable.numpy(), axis, 0), np.moveaxis(value, axis, 0)
            value[:before] = new[:before]
            value[before + here] = new[before + there]
            value = np.moveaxis(value, 0, axis)
        variable.assign(value)


def _class_axes(network):
    """{id of a variable: (its axis of classes, how many entries come before the first class)}"""
    if isinstance(network, Discriminator):
        # Channel 0 is "fake".
        return {id(network.last.kernel): (3, 1), id(network.last.bias): (0, 1)}
    if isinstance(network, RealFakeDiscriminator):
        return {id(network.labels): (0, 0)}
    convolutions = [network.first]
    for block in network.blocks:
        norms = (block.norm_0, block.norm_1, block.norm_s)
        convolutions += [norm.shared for norm in norms if norm is not None]
    # The noise channels come first.
    return {id(layer.kernel): (2, layer.noise_channels) for layer in convolutions}
