"""Our side: the networks and the training step as `oasis_tf.train` puts them together."""

import itertools

import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.training.adam import FusedAdam
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.trainer import Trainer


def quick_graphs():
    """For both sides of a training step, what `oasis_tf.train` does on a CPU.

    Rewriting the graph of a whole step takes long and wins nothing there.
    """
    if not tf.config.list_physical_devices("GPU"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def trainer(num_classes, batches, widths, precision="float32"):
    """A `Trainer` on batches that come again and again; `train(1)` makes one step.

    Args:
        num_classes: N.
        batches: list of dicts of `image` float32 (B, H, W, 3) and `label_map` int32 (B, H, W).
        widths: keyword arguments of the generator.
        precision: a Keras dtype policy, such as "mixed_bfloat16".
    """

    def adam(learning_rate, model):
        optimizer = FusedAdam(learning_rate, beta_1=0.0, beta_2=0.999, epsilon=1e-8)
        optimizer.build(model.trainable_variables)
        return optimizer

    generator, average = (Generator(num_classes, dtype=precision, **widths) for _ in range(2))
    average.set_weights(generator.get_weights())
    discriminator = Discriminator(
        num_classes, base_channels=widths["base_channels"], dtype=precision
    )
    step = AdversarialStep(
        generator,
        discriminator,
        adam(1e-4, generator),
        adam(4e-4, discriminator),
        labelmix_weight=10.0,
    )
    return Trainer(
        step,
        ema_generator=average,
        ema_decay=0.9999,
        batches=lambda steps_done: itertools.cycle(batches),
        batch_size=batches[0]["label_map"].shape[0],
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64, trainable=False),
    )
