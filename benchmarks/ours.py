"""Our side: the networks and the training step as `oasis_tf.train` puts them together."""

import itertools

import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.adam import build_adam
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.trainer import Trainer


def trainer(
    num_classes,
    batches,
    widths,
    precision="float32",
    *,
    batch_size=None,
    rematerialize=False,
    share_pictures=False,
):
    """A `Trainer` on batches that come again and again; `train(1)` makes one step.

    Args:
        num_classes: N.
        batches: list of dicts of `image` float32 (B, H, W, 3) and `label_map` int32 (B, H, W).
        widths: keyword arguments of the generator.
        precision: a Keras dtype policy, such as "mixed_bfloat16".
        rematerialize: as in `oasis_tf.config.Config`.
        share_pictures: as in `oasis_tf.config.Config`.
        batch_size: B over all replicas. Defaults to that of the first batch.
    """
    options = dict(dtype=precision, rematerialize=rematerialize)
    generator, average = (Generator(num_classes, **widths, **options) for _ in range(2))
    average.set_weights(generator.get_weights())
    discriminator = Discriminator(num_classes, base_channels=widths["base_channels"], **options)
    step = AdversarialStep(
        generator,
        discriminator,
        build_adam(1e-4, generator),
        build_adam(4e-4, discriminator),
        labelmix_weight=10.0,
        share_pictures=share_pictures,
    )
    return Trainer(
        step,
        ema_generator=average,
        ema_decay=0.9999,
        batches=lambda steps_done: itertools.cycle(batches),
        batch_size=batch_size or batches[0]["label_map"].shape[0],
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64, trainable=False),
    )
