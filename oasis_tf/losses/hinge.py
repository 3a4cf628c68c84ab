"""The hinge losses of a discriminator that tells real from fake, for comparison.

Source: Lim and Ye, "Geometric GAN", 2017; with label maps in Park et al., CVPR 2019.
"""

import tensorflow as tf

__all__ = ["hinge_fake_loss", "hinge_generator_loss", "hinge_real_loss"]


def hinge_real_loss(answers):
    """How far the answers on photographs, float of any shape, stay below 1; a scalar >= 0."""
    return tf.reduce_mean(tf.nn.relu(1 - answers))


def hinge_fake_loss(answers):
    """How far the answers on generated pictures stay above -1; a scalar >= 0."""
    return tf.reduce_mean(tf.nn.relu(1 + answers))


def hinge_generator_loss(answers):
    """Minus the mean of the answers on generated pictures; a scalar of either sign."""
    return -tf.reduce_mean(answers)
