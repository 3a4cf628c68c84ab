"""Our side: the networks and the training step as `oasis_tf.train` puts them together."""

import functools
import itertools

import tensorflow as tf

from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.models.padded_index import SHARES
from oasis_tf.training.adam import build_adam
from oasis_tf.training.indexing import with_patch_index
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
    jit_compile=False,
    index_in_step=False,
):
    """A `Trainer` on batches that come again and again; `train(1)` makes one step.

    Args:
        num_classes: N.
        batches: list of dicts of `image` float32 (B, H, W, 3) and `label_map` int32 (B, H, W).
        widths: keyword arguments of the generator.
        precision: a Keras dtype policy, such as "mixed_bfloat16".
        rematerialize: as in `oasis_tf.config.Config`.
        share_pictures: as in `oasis_tf.config.Config`.
        jit_compile: as in `oasis_tf.config.Config`.
        index_in_step: the step finds the distinct patches itself, instead of the stream of batches
            while the step before runs. For batches of several replicas.
        batch_size: B over all replicas. Defaults to that of the first batch.
    """
    made = step(num_classes, widths, precision, rematerialize, share_pictures)
    average = _generator(num_classes, widths, precision, rematerialize)
    average.set_weights(made.generator.get_weights())
    if index_in_step:
        iterator = functools.partial(itertools.cycle, batches)
    else:
        iterator = functools.partial(iter, stream(batches, num_classes, jit_compile))
    return Trainer(
        made,
        ema_generator=average,
        ema_decay=0.9999,
        batches=lambda steps_done: iterator(),
        batch_size=batch_size or batches[0]["label_map"].shape[0],
        seed=0,
        global_step=tf.Variable(0, dtype=tf.int64, trainable=False),
        jit_compile=jit_compile,
    )


def stream(batches, num_classes, jit_compile=False):
    """An endless `tf.data.Dataset` of batches with their patch indices, as in training."""
    signature = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in batches[0].items()}
    dataset = tf.data.Dataset.from_generator(
        lambda: itertools.cycle(batches), output_signature=signature
    )
    return with_patch_index(dataset, num_classes, shares=SHARES if jit_compile else None)


def step(num_classes, widths, precision="float32", rematerialize=False, share_pictures=False):
    """The networks and their step; arguments as for `trainer`."""
    generator = _generator(num_classes, widths, precision, rematerialize)
    discriminator = Discriminator(
        num_classes,
        base_channels=widths["base_channels"],
        dtype=precision,
        rematerialize=rematerialize,
    )
    scaled = precision == "mixed_float16"
    return AdversarialStep(
        generator,
        discriminator,
        build_adam(1e-4, generator, scale_loss=scaled),
        build_adam(4e-4, discriminator, scale_loss=scaled),
        labelmix_weight=10.0,
        share_pictures=share_pictures,
    )


def _generator(num_classes, widths, precision, rematerialize):
    return Generator(num_classes, **widths, dtype=precision, rematerialize=rematerialize)
