"""One training step: an update of the generator, then one of the discriminator."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.spectral_conv import refine
from oasis_tf.losses.labelmix import labelmix_loss, labelmix_mask, mix
from oasis_tf.losses.segmentation import (
    class_weights,
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_adversarial_loss,
    labelled_weights,
)
from oasis_tf.training.gradient_clip import GradientClip

NETWORKS = ("generator", "discriminator")
GENERATOR_LOSSES = ("loss/generator", "loss/perceptual")
DISCRIMINATOR_LOSSES = (
    "loss/discriminator",
    "loss/discriminator_fake",
    "loss/discriminator_real",
    "loss/labelmix",
)
# Of each network's update: the norm of its gradient before clipping, that as a multiple of the
# running norm, and 1 where it overflowed in float16 and the update was skipped.
UPDATE_METRICS = ("gradient_norm", "gradient_excess", "skipped")
METRICS = (
    *GENERATOR_LOSSES,
    *DISCRIMINATOR_LOSSES,
    *(f"{name}/{network}" for name in UPDATE_METRICS for network in NETWORKS),
)


class AdversarialStep:
    """Updates both networks once on one batch; runs in a replica context, inside `tf.function`.

    Args:
        generator: `oasis_tf.models.generator.Generator`.
        discriminator: `oasis_tf.models.discriminator.Discriminator`.
        generator_optimizer: a Keras optimizer, built on the generator's trainable variables; a
            `keras.optimizers.LossScaleOptimizer` around one where the compute dtype is float16.
        discriminator_optimizer: the same for the discriminator.
        labelmix_weight: lambda, the weight of the LabelMix loss; its work is spared where it is 0.
        share_pictures: the discriminator learns from the pictures drawn for the generator's
            update, instead of new ones by the updated generator from fresh noise. Saves one of
            the two drawings of a step and differs from the paper by that. Defaults to False.
        class_balance: "replica" weighs classes by this replica's pixels, as released; "batch" by
            those of all replicas; "none" has every labelled pixel count the same. Defaults to
            "replica".
        perceptual: `oasis_tf.losses.perceptual.PerceptualLoss`, which the generator's loss gets
            beside the discriminator's. Defaults to none, as in the paper.
        perceptual_weight: its weight. Defaults to 0.
        clips: gradients are clipped (`GradientClip`); False only measures them, as released.
            Defaults to True.

    Attributes:
        generator_clip, discriminator_clip: the networks' `GradientClip`s, part of a run's state.

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
        perceptual=None,
        perceptual_weight=0.0,
        clips=True,
    ):
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.generator_clip = GradientClip(clips)
        self.discriminator_clip = GradientClip(clips)
        self.labelmix_weight = labelmix_weight
        self.share_pictures = share_pictures
        self.class_balance = class_balance
        self.perceptual = perceptual
        self.perceptual_weight = perceptual_weight

    def __call__(
        self,
        image,
        label_map,
        generator_noise,
        discriminator_noise,
        mask_bits,
        patch_index=None,
    ):
        """Makes both updates.

        Args:
            image: float32 (B, H, W, 3) in [-1, 1].
            label_map: int32 (B, H, W), ids in [0, N).
            generator_noise: float32 (B, Z), for the generator's update.
            discriminator_noise: float32 (B, Z), fresh, for the discriminator's update.
            mask_bits: bool (B, N), LabelMix: True = take the class from the photograph.
            patch_index: of the label map (`add_patch_index`). Defaults to None: found here.

        Returns:
            dict of float32 scalars, named as in `METRICS`: the loss terms of this replica, and
            what `apply_gradients` says of both updates.
        """
        weights = self.class_weights(label_map)
        # The index knows which noise vector a pixel takes but not its value: it serves both.
        if patch_index is None:
            patch_index, generator_noise = self.generator.index(label_map, generator_noise)
        fake, gradients, generator_losses = self.generator_gradients(
            patch_index, generator_noise, label_map, weights, image=image
        )
        generator_update = self.apply_to_generator(gradients)
        if not self.share_pictures:
            fake = self.generator.generate(patch_index, discriminator_noise, training=True)
        gradients, discriminator_losses = self.discriminator_gradients(
            image, tf.stop_gradient(fake), label_map, weights, mask_bits
        )
        return {
            **generator_losses,
            **generator_update,
            **discriminator_losses,
            **self.apply_to_discriminator(gradients),
        }

    def refine(self, iterations):
        """Makes power iterations on both networks, beside those of the updates."""
        for model in (self.generator, self.discriminator):
            refine(model, iterations)

    def class_weights(self, label_map):
        """What a pixel of each class counts in all losses on these label maps, float32 (N,)."""
        if self.class_balance == "none":
            return labelled_weights(label_map, self.discriminator.num_classes)
        return class_weights(
            label_map,
            self.discriminator.num_classes,
            all_replicas=self.class_balance == "batch",
        )

    def generator_loss(self, fake, label_map, weights):
        """The adversarial loss of generated pictures, a scalar.

        Args:
            fake: float32 (B, H, W, 3).
            label_map, weights: as for `generator_gradients`.
        """
        features = self.discriminator.features(fake, training=True)
        return generator_adversarial_loss(features, self.discriminator.head, label_map, weights)

    def generator_gradients(self, patch_index, noise, label_map, weights, shares=1, image=None):
        """The generator's loss and its gradient; no update.

        Args:
            patch_index, noise: from `Generator.index`.
            label_map: int32 (B, H, W).
            weights: from `class_weights`.
            shares: of how many such batches an update is made; the gradients are divided by it.
            image: float32 (B, H, W, 3), the photographs, which only a perceptual loss looks at.

        Returns:
            (generated images, list of gradients, dict of losses).
        """
        variables = self.generator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            fake = self.generator.generate(patch_index, noise, training=True)
            loss, unlike = self.generator_loss(fake, label_map, weights), tf.constant(0.0)
            if self.perceptual is not None:
                unlike = self.perceptual(fake, image)
                loss += self.perceptual_weight * unlike
            scaled = _scaled(loss, self.generator_optimizer, shares)
        gradients = tape.gradient(scaled, [v.value for v in variables])
        return fake, gradients, dict(zip(GENERATOR_LOSSES, (loss, unlike), strict=True))

    def discriminator_losses(self, image, fake, label_map, weights, mask_bits):
        """(fake + real + lambda * LabelMix, and the three), scalars.

        Args:
            image, fake, label_map, weights, mask_bits: as for `discriminator_gradients`.
        """
        head = self.discriminator.head
        consistency = tf.constant(0.0)
        if self.labelmix_weight:
            mask = labelmix_mask(label_map, mask_bits)
            on_fake, on_real, on_mixed = self.features(fake, image, mix(mask, image, fake))
            consistency = labelmix_loss(on_mixed, on_real, on_fake, mask, head)
        else:
            on_fake, on_real = self.features(fake, image)
        fake_loss = discriminator_fake_loss(on_fake, head)
        real_loss = discriminator_real_loss(on_real, head, label_map, weights)
        loss = fake_loss + real_loss + self.labelmix_weight * consistency
        return loss, fake_loss, real_loss, consistency

    def discriminator_gradients(self, image, fake, label_map, weights, mask_bits, shares=1):
        """The discriminator's loss and its gradient; no update.

        Args:
            image, fake: float32 (B, H, W, 3), photographs and generated images.
            label_map, weights, shares: as for `generator_gradients`.
            mask_bits: bool (B, N), see `labelmix_mask`.

        Returns:
            (list of gradients, dict of losses).
        """
        variables = self.discriminator.trainable_variables
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            losses = self.discriminator_losses(image, fake, label_map, weights, mask_bits)
            scaled = _scaled(losses[0], self.discriminator_optimizer, shares)
        gradients = tape.gradient(scaled, [v.value for v in variables])
        return gradients, dict(zip(DISCRIMINATOR_LOSSES, losses, strict=True))

    def apply_to_generator(self, gradients):
        """Updates the generator; the metrics of `apply_gradients`."""
        return _named(
            "generator",
            apply_gradients(
                gradients, self.generator, self.generator_optimizer, self.generator_clip
            ),
        )

    def apply_to_discriminator(self, gradients):
        """Updates the discriminator; the metrics of `apply_gradients`."""
        return _named(
            "discriminator",
            apply_gradients(
                gradients, self.discriminator, self.discriminator_optimizer, self.discriminator_clip
            ),
        )

    def features(self, *batches):
        """The discriminator's features of some batches, in one pass with one power iteration.

        The released code makes a pass for each, with a power iteration of its own; the networks
        hold no batch statistics, so nothing else differs.
        """
        together = tf.concat(batches, axis=0)
        return tf.split(self.discriminator.features(together, training=True), len(batches))


def apply_gradients(gradients, model, optimizer, clip):
    """Sums gradients over the replicas, clips them and updates a model; in a replica context.

    Args:
        gradients: list of float32, one for each trainable variable: this replica's part of a sum
            over all replicas, times the scale of a `LossScaleOptimizer`.
        model: what has `trainable_variables`.
        optimizer: built on these; takes gradients that are summed already, as `FusedAdam` does.
        clip: `GradientClip` of this model.

    Returns:
        float32 scalars, the same on all replicas, in the order of `UPDATE_METRICS`; the first two
        are 0 where the gradients overflowed.
    """
    context = tf.distribute.get_replica_context()
    # Summed here, so that all replicas clip by one norm, and one that overflows stops them all.
    gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    norm = tf.linalg.global_norm(gradients)
    overflows = tf.constant(False)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        overflows = ~tf.math.is_finite(norm)
        norm = tf.where(overflows, 0.0, norm / optimizer.dynamic_scale)
    gradients, excess = clip(gradients, norm)
    optimizer.apply(gradients, model.trainable_variables)
    return norm, excess, tf.cast(overflows, tf.float32)


def _named(network, values):
    return {f"{name}/{network}": x for name, x in zip(UPDATE_METRICS, values, strict=True)}


def _scaled(loss, optimizer, shares):
    # Gradients are summed over the replicas; the loss is a mean over the whole batch.
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    return optimizer.scale_loss(loss / (replicas * shares))
