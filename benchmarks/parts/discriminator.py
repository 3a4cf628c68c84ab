"""Discriminator: forward and backward of its update, losses included, one picture.

Plain makes three passes, over the generated, the real and the mixed picture.
"""

import itertools

import tensorflow as tf

from benchmarks import labels, plain, versions
from benchmarks.floor import discriminator_update_multiply_adds, floor, matmul_side
from benchmarks.measure import interleave
from benchmarks.rows import FASTER, SLOWER, ratio
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.tf_setup import quick_graphs
from oasis_tf.training.step import AdversarialStep

PLAIN, OURS = "plain", "ours"
LABELMIX_WEIGHT = 10.0


def run(options):
    """Measures; returns rows."""
    recorded = labels.recorded(options.records, options.repeats)
    sides = {
        _key(name, num_classes): make(num_classes, recorded, options)
        for num_classes in options.classes
        for name, make in ((PLAIN, _plain_side), (OURS, _our_side))
    }
    sides.update([matmul_side("float32", options.quick)])
    seconds = interleave(sides, options.repeats)
    rows = [_beside_plain(options, seconds, n, recorded) for n in options.classes]
    few, many = options.classes
    both = {f"{n} classes": _key(OURS, n) for n in (many, few)}
    return [*rows, ratio(f"{many} classes beside {few}", seconds, both, SLOWER)]


def against(options):
    """Measures the other version; returns rows."""
    recorded = labels.recorded(options.records, options.repeats)
    recorded = [{name: b[name].numpy() for name in ("image", "label_map")} for b in recorded]
    return [
        versions.timed(f"{n} classes", options, _our_side, n, recorded, options)
        for n in options.classes
    ]


def _key(name, num_classes):
    return name, f"{num_classes} classes"


def _beside_plain(options, seconds, num_classes, recorded):
    pixels = int(tf.size(recorded[0]["label_map"]))
    operations = discriminator_update_multiply_adds(
        pixels, num_classes, base_channels=options.widths["base_channels"]
    )
    return ratio(
        f"{num_classes} classes",
        seconds,
        {name: _key(name, num_classes) for name in (PLAIN, OURS)},
        FASTER,
        floor=floor([operations], seconds, "float32", options.quick),
    )


def _plain_side(num_classes, recorded, options):
    quick_graphs()
    network = plain.Discriminator(num_classes, base_channels=options.widths["base_channels"])

    def update(fake, image, label_map, mask_bits):
        _, gradients = plain.discriminator_gradients(
            network, fake, image, label_map, mask_bits, LABELMIX_WEIGHT
        )
        return tf.linalg.global_norm(gradients)

    return _side(update, num_classes, recorded)


def _our_side(num_classes, recorded, options):
    quick_graphs()
    network = Discriminator(num_classes, base_channels=options.widths["base_channels"])

    def update(fake, image, label_map, mask_bits):
        step = AdversarialStep(None, network, None, _NoUpdate(), labelmix_weight=LABELMIX_WEIGHT)
        weights = step.class_weights(label_map)
        gradients, _ = step.discriminator_gradients(image, fake, label_map, weights, mask_bits)
        return tf.linalg.global_norm(gradients)

    return _side(update, num_classes, recorded)


def _side(update, num_classes, recorded):
    """A function that makes one update and fetches a number that needs all gradients."""
    graph = tf.function(update, autograph=False)
    mask_bits = tf.random.stateless_uniform((1, num_classes), (0, 0)) < 0.5
    stream = itertools.cycle(recorded)

    def side():
        batch = next(stream)
        # Any picture does for a generated one.
        return float(
            graph(-batch["image"], batch["image"], batch["label_map"] % num_classes, mask_bits)
        )

    return side


class _NoUpdate:
    """Stands in for the optimizer: only forward and backward are measured."""

    def scale_loss(self, loss):
        return loss
