"""Everything that a training run is at one step: networks, optimisers, and the step itself."""

import numpy as np
import orbit
import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.losses.perceptual import PerceptualLoss
from oasis_tf.models.build import build_discriminator, build_generator
from oasis_tf.training.adam import build_adam
from oasis_tf.training.real_fake_step import RealFakeStep
from oasis_tf.training.step import AdversarialStep


class TrainingState:
    """Built under the scope of a strategy; a checkpoint of it is all that a run goes on from.

    The step is also the position in the data and in every random stream.

    Args:
        config: `oasis_tf.config.Config`.
        num_classes: N, unlabelled included.

    Attributes:
        generator: the `Generator` in training.
        ema_generator: the averaged one.
        discriminator: the `Discriminator`.
        step: `AdversarialStep`, with the optimisers and the gradients' running norms.
        global_step: int64 variable, steps done.
    """

    def __init__(self, config, num_classes):
        keras.utils.set_random_seed(config.seed)
        self.generator, self.ema_generator = (
            build_generator(config, num_classes) for _ in range(2)
        )
        for average, variable in zip(
            self.ema_generator.variables, self.generator.variables, strict=True
        ):
            average.assign(variable)
        self.discriminator = build_discriminator(config, num_classes)
        scale_loss = config.precision == "mixed_float16"
        make_step = RealFakeStep if config.discriminator == "real_fake" else AdversarialStep
        self.step = make_step(
            self.generator,
            self.discriminator,
            build_adam(config.generator_lr, self.generator, scale_loss=scale_loss),
            build_adam(config.discriminator_lr, self.discriminator, scale_loss=scale_loss),
            labelmix_weight=config.labelmix_weight,
            share_pictures=config.share_pictures,
            class_balance=config.class_balance,
            perceptual=PerceptualLoss(config.vgg_weights) if config.perceptual_weight else None,
            perceptual_weight=config.perceptual_weight,
            clips=config.start == "guarded",
        )
        self.global_step = orbit.utils.create_global_step()

    @property
    def networks(self):
        """The three networks, by their names in checkpoints."""
        return {
            "generator": self.generator,
            "ema_generator": self.ema_generator,
            "discriminator": self.discriminator,
        }

    def checkpoint(self, **others):
        """A `tf.train.Checkpoint` of it all, and of `others`."""
        return tf.train.Checkpoint(
            **self.networks,
            generator_optimizer=self.step.generator_optimizer,
            discriminator_optimizer=self.step.discriminator_optimizer,
            generator_clip=self.step.generator_clip,
            discriminator_clip=self.step.discriminator_clip,
            step=self.global_step,
            **others,
        )

    @property
    def size(self):
        """A few words on the networks' sizes."""
        generator, discriminator = (
            f"{sum(int(np.prod(v.shape)) for v in model.trainable_variables) / 1e6:.1f}M"
            for model in (self.generator, self.discriminator)
        )
        return f"generator {generator}, discriminator {discriminator} parameters"
