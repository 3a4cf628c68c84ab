"""The training step with a discriminator that tells real from fake, for comparison."""

import tensorflow as tf

from oasis_tf.losses.hinge import hinge_fake_loss, hinge_generator_loss, hinge_real_loss
from oasis_tf.training.step import AdversarialStep


class RealFakeStep(AdversarialStep):
    """`AdversarialStep` with a `RealFakeDiscriminator` and hinge losses.

    Class weights and the masks of LabelMix are not looked at; the loss of LabelMix is 0.
    """

    def generator_loss(self, fake, label_map, weights):
        """As in `AdversarialStep`."""
        return hinge_generator_loss(self.discriminator(fake, label_map, training=True))

    def discriminator_losses(self, image, fake, label_map, weights, mask_bits):
        """As in `AdversarialStep`."""
        together = tf.concat([fake, image], axis=0)
        labels = tf.tile(label_map, [2, 1, 1])
        on_fake, on_real = tf.split(self.discriminator(together, labels, training=True), 2)
        fake_loss, real_loss = hinge_fake_loss(on_fake), hinge_real_loss(on_real)
        return fake_loss + real_loss, fake_loss, real_loss, tf.constant(0.0)
