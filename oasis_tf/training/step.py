"""One training step: an update of the generator, then one of the discriminator."""

import tensorflow as tf

from oasis_tf.losses.labelmix import labelmix_loss, labelmix_mask, mix
from oasis_tf.losses.segmentation import (
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_adversarial_loss,
)


class AdversarialStep:
    """Updates both networks once on one batch; runs in a replica context, inside `tf.function`.

    Args:
        generator: `oasis_tf.models.generator.Generator`.
        discriminator: `oasis_tf.models.discriminator.Discriminator`.
        generator_optimizer: a Keras optimizer, built on the generator's trainable variables.
        discriminator_optimizer: the same for the discriminator.
        labelmix_weight: lambda, the weight of the LabelMix loss.

    Reference: Sushko et al., IJCV 2022, Eqs. 2 to 4.
    """

    def __init__(
        self,
        generator,
        discriminator,
        generator_optimizer,
        discriminator_optimizer,
        *,
        labelmix_weight,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.labelmix_weight = labelmix_weight

    def __call__(self, image, label_map, generator_noise, discriminator_noise, coins):
        """Makes both updates.

        Args:
            image: float32 (B, H, W, 3) in [-1, 1].
            label_map: int32 (B, H, W), ids in [0, N).
            generator_noise: float32 (B, Z), for the generator's update.
            discriminator_noise: float32 (B, Z), fresh, for the discriminator's update.
            coins: bool (B, N), LabelMix: True = take the class from the photograph.

        Returns:
            dict of float32 scalars: the loss terms and the gradient norms of this replica.
        """
        # The layout knows which noise vector a pixel takes but not its value, so both serve it.
        layout, generator_noise = self.generator.place(label_map, generator_noise)
        return {
            **self.update_generator(layout, label_map, generator_noise),
            **self.update_discriminator(layout, image, label_map, discriminator_noise, coins),
        }

    def update_generator(self, layout, label_map, noise):
        """One Adam step of the generator on the adversarial loss."""
        variables = self.generator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            fake = self.generator.draw(layout, noise, training=True)
            loss = generator_adversarial_loss(self.discriminator(fake, training=True), label_map)
            scaled = _per_replica(loss)
        norm = _apply(tape, scaled, variables, self.generator_optimizer)
        return {"loss/generator": loss, "gradient_norm/generator": norm}

    def update_discriminator(self, layout, image, label_map, noise, coins):
        """One Adam step of the discriminator on fake + real + lambda * LabelMix."""
        fake = tf.stop_gradient(self.generator.draw(layout, noise, training=True))
        mask = labelmix_mask(label_map, coins)
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            on_fake, on_real, on_mixed = self.judge(fake, image, mix(mask, image, fake))
            fake_loss = discriminator_fake_loss(on_fake)
            real_loss = discriminator_real_loss(on_real, label_map)
            consistency = labelmix_loss(on_mixed, on_real, on_fake, mask)
            loss = fake_loss + real_loss + self.labelmix_weight * consistency
            scaled = _per_replica(loss)
        norm = _apply(tape, scaled, variables, self.discriminator_optimizer)
        return {
            "loss/discriminator": loss,
            "loss/discriminator_fake": fake_loss,
            "loss/discriminator_real": real_loss,
            "loss/labelmix": consistency,
            "gradient_norm/discriminator": norm,
        }

    def judge(self, fake, real, mixed):
        """Logits on the three batches, in one pass with one power iteration.

        The released code makes three passes, each with a power iteration of its own; the
        networks hold no batch statistics, so nothing else differs.
        """
        batch = tf.concat([fake, real, mixed], axis=0)
        return tf.split(self.discriminator(batch, training=True), 3)


def _per_replica(loss):
    # The optimizer sums gradients over the replicas; the loss is a mean over the whole batch.
    return loss / tf.distribute.get_replica_context().num_replicas_in_sync


def _apply(tape, loss, variables, optimizer):
    """Applies the gradients; returns their norm on this replica."""
    gradients = tape.gradient(loss, [v.value for v in variables])
    optimizer.apply(gradients, variables)
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    return tf.linalg.global_norm(gradients) * replicas
