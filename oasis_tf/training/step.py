"""One training step: an update of the generator, then one of the discriminator."""

import keras
import tensorflow as tf

from oasis_tf.losses.labelmix import labelmix_loss, labelmix_mask, mix
from oasis_tf.losses.segmentation import (
    class_weights,
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_adversarial_loss,
)

GENERATOR_LOSSES = ("loss/generator",)
DISCRIMINATOR_LOSSES = (
    "loss/discriminator",
    "loss/discriminator_fake",
    "loss/discriminator_real",
    "loss/labelmix",
)
METRICS = (
    *GENERATOR_LOSSES,
    "gradient_norm/generator",
    *DISCRIMINATOR_LOSSES,
    "gradient_norm/discriminator",
)


class AdversarialStep:
    """Updates both networks once on one batch; runs in a replica context, inside `tf.function`.

    Args:
        generator: `oasis_tf.models.generator.Generator`.
        discriminator: `oasis_tf.models.discriminator.Discriminator`.
        generator_optimizer: a Keras optimizer, built on the generator's trainable variables; a
            `keras.optimizers.LossScaleOptimizer` around one where the compute dtype is float16.
        discriminator_optimizer: the same for the discriminator.
        labelmix_weight: lambda, the weight of the LabelMix loss.
        share_pictures: the discriminator learns from the pictures drawn for the generator's
            update, instead of new ones by the updated generator from fresh noise. Saves one of
            the two drawings of a step and differs from the paper by that. Defaults to False.
        class_balance: "replica" weighs classes by this replica's pixels, as released; "batch" by
            those of all replicas. Defaults to "replica".

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
        share_pictures=False,
        class_balance="replica",
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.labelmix_weight = labelmix_weight
        self.share_pictures = share_pictures
        self.class_balance = class_balance

    def __call__(self, image, label_map, generator_noise, discriminator_noise, coins):
        """Makes both updates.

        Args:
            image: float32 (B, H, W, 3) in [-1, 1].
            label_map: int32 (B, H, W), ids in [0, N).
            generator_noise: float32 (B, Z), for the generator's update.
            discriminator_noise: float32 (B, Z), fresh, for the discriminator's update.
            coins: bool (B, N), LabelMix: True = take the class from the photograph.

        Returns:
            dict of float32 scalars, named as in `METRICS`: the loss terms and the gradient norms
            of this replica; a norm is 0 where float16 overflowed and the update was skipped.
        """
        # The layout knows which noise vector a pixel takes but not its value, so both serve it.
        layout, generator_noise = self.generator.place(label_map, generator_noise)
        by_class = self.class_weights(label_map)
        fake, metrics = self.update_generator(layout, label_map, generator_noise, by_class)
        if not self.share_pictures:
            fake = self.generator.draw(layout, discriminator_noise, training=True)
        fake = tf.stop_gradient(fake)
        return {**metrics, **self.update_discriminator(image, fake, label_map, coins, by_class)}

    def class_weights(self, label_map):
        """Weights for all losses on these label maps, float32 (N,); None = each counts its own."""
        if self.class_balance == "replica":
            return None
        return class_weights(label_map, self.discriminator.num_classes, all_replicas=True)

    def update_generator(self, layout, label_map, noise, by_class=None):
        """One Adam step of the generator on the adversarial loss: (its pictures, metrics)."""
        fake, gradients, losses = self.generator_gradients(layout, label_map, noise, by_class)
        norm = apply_gradients(gradients, self.generator, self.generator_optimizer)
        return fake, {**losses, "gradient_norm/generator": norm}

    def generator_gradients(self, layout, label_map, noise, by_class=None, shares=1):
        """Backward without an update: (its pictures, gradients, losses).

        Args:
            layout, noise: from `Generator.place`.
            label_map: int32 (B, H, W).
            by_class: from `class_weights`.
            shares: of how many such batches an update is made; the gradients are divided by it.
        """
        variables = self.generator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            fake = self.generator.draw(layout, noise, training=True)
            features = self.discriminator.features(fake, training=True)
            loss = generator_adversarial_loss(
                features, self.discriminator.head, label_map, by_class=by_class
            )
            scaled = _scaled(loss, self.generator_optimizer, shares)
        gradients = tape.gradient(scaled, [v.value for v in variables])
        return fake, gradients, {"loss/generator": loss}

    def update_discriminator(self, image, fake, label_map, coins, by_class=None):
        """One Adam step of the discriminator on fake + real + lambda * LabelMix: metrics."""
        gradients, losses = self.discriminator_gradients(image, fake, label_map, coins, by_class)
        norm = apply_gradients(gradients, self.discriminator, self.discriminator_optimizer)
        return {**losses, "gradient_norm/discriminator": norm}

    def discriminator_gradients(self, image, fake, label_map, coins, by_class=None, shares=1):
        """Backward without an update: (gradients, losses); see `generator_gradients`."""
        mask = labelmix_mask(label_map, coins)
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            on_fake, on_real, on_mixed = self.judge(fake, image, mix(mask, image, fake))
            head = self.discriminator.head
            fake_loss = discriminator_fake_loss(on_fake, head)
            real_loss = discriminator_real_loss(on_real, head, label_map, by_class=by_class)
            consistency = labelmix_loss(on_mixed, on_real, on_fake, mask, head)
            loss = fake_loss + real_loss + self.labelmix_weight * consistency
            scaled = _scaled(loss, self.discriminator_optimizer, shares)
        gradients = tape.gradient(scaled, [v.value for v in variables])
        losses = (loss, fake_loss, real_loss, consistency)
        return gradients, dict(zip(DISCRIMINATOR_LOSSES, losses, strict=True))

    def judge(self, fake, real, mixed):
        """Features of the three batches, in one pass with one power iteration.

        The released code makes three passes, each with a power iteration of its own; the
        networks hold no batch statistics, so nothing else differs.
        """
        batch = tf.concat([fake, real, mixed], axis=0)
        return tf.split(self.discriminator.features(batch, training=True), 3)


def apply_gradients(gradients, model, optimizer):
    """Updates a model; returns the norm of the gradients on this replica, 0 if they overflowed.

    Args:
        gradients: list of float32, one for each trainable variable: this replica's part of a sum
            over all replicas, times the scale of a `LossScaleOptimizer`.
        model: what has `trainable_variables`.
        optimizer: built on these.
    """
    norm = tf.linalg.global_norm(gradients) * _replicas()
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        norm /= optimizer.dynamic_scale
        finite = tf.math.is_finite(norm)
        norm = tf.where(finite, norm, 0)
        # Keras asks one replica whether to skip the update; so that all answer alike, one that
        # overflows spoils the gradients of the others.
        spoilt = _on_any_replica(~finite)
        gradients[0] = tf.where(spoilt, tf.fill(tf.shape(gradients[0]), float("nan")), gradients[0])
    optimizer.apply(gradients, model.trainable_variables)
    return norm


def _scaled(loss, optimizer, shares):
    # The optimizer sums gradients over the replicas; the loss is a mean over the whole batch.
    return optimizer.scale_loss(loss / (_replicas() * shares))


def _on_any_replica(flag):
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(flag, tf.float32)) > 0


def _replicas():
    return tf.distribute.get_replica_context().num_replicas_in_sync
