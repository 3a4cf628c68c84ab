"""The (N+1)-class segmentation losses that are OASIS' only adversarial supervision.

They take the discriminator's features and its last, linear layer (`head`) rather than logits,
which for many classes would fill the memory (`linear_cross_entropy`).

Source: Sushko et al., IJCV 2022, Eqs. 1 and 2 (discriminator), 4 (generator).
"""

import tensorflow as tf

from oasis_tf.losses.linear_cross_entropy import linear_cross_entropy

__all__ = [
    "class_weights",
    "discriminator_fake_loss",
    "discriminator_real_loss",
    "generator_adversarial_loss",
    "labelled_weights",
]

UNLABELLED = 0


def class_weights(label_map, num_classes, *, all_replicas=False):
    """Inverse frequency of each class in the batch; unlabelled pixels carry no weight.

    weight_c = B * H * W / (pixels of c * number of classes present). The divider by the number
    of classes present is in the released code, not in the paper's equation.

    Args:
        label_map: int (B, H, W), ids in [0, num_classes).
        num_classes: N, unlabelled included.
        all_replicas: count over the batches of all replicas, B being all their pictures; in a
            replica context.

    Returns:
        float32 (N,), non-negative; 0 for unlabelled and for classes that are not present.
    """
    counts = class_counts(label_map, num_classes)
    pixels = tf.cast(tf.size(label_map), tf.float32)
    if all_replicas:
        context = tf.distribute.get_replica_context()
        counts, pixels = context.all_reduce(tf.distribute.ReduceOp.SUM, [counts, pixels])
    counts *= tf.cast(tf.range(num_classes) != UNLABELLED, tf.float32)
    present = tf.math.count_nonzero(counts, dtype=tf.float32)
    return tf.math.divide_no_nan(pixels, counts * present)


def labelled_weights(label_map, num_classes):
    """The weights without balance: every labelled pixel counts the same, unlabelled ones nothing.

    weight = B * H * W / labelled pixels, so that the weights of all pixels have the sum that they
    have with `class_weights`: the losses on labels keep their share beside the others.

    Args:
        label_map: int (B, H, W), ids in [0, num_classes).
        num_classes: N, unlabelled included.

    Returns:
        float32 (N,), non-negative; 0 for unlabelled.
    """
    labelled = tf.math.count_nonzero(label_map != UNLABELLED, dtype=tf.float32)
    weight = tf.math.divide_no_nan(tf.cast(tf.size(label_map), tf.float32), labelled)
    return weight * tf.cast(tf.range(num_classes) != UNLABELLED, tf.float32)


def class_counts(label_map, num_classes):
    """How many pixels each class has.

    Args:
        label_map: int of any shape, ids in [0, num_classes).
        num_classes: N.

    Returns:
        float32 (N,), exact up to 2^24 pixels of a class.
    """
    labels = tf.reshape(tf.cast(label_map, tf.int32), [-1])
    # Not tf.math.bincount, which has no deterministic form on a GPU.
    return tf.math.unsorted_segment_sum(tf.ones_like(labels, tf.float32), labels, num_classes)


def discriminator_real_loss(features, head, label_map, weights, *, fixed_head=False):
    """Cross-entropy of the discriminator's answer on photographs with their label maps.

    Args:
        features: float (B, H, W, C), the input of the discriminator's last layer.
        head: that layer, (kernel float32 (C, N + 1), bias float32 (N + 1,)); its output 0 is
            "fake", class c is output c + 1.
        label_map: int (B, H, W), ids in [0, N).
        weights: float32 (N,), what a pixel of each class counts (`class_weights`).
        fixed_head: spares the head's gradients, which are None then.

    Returns:
        float32 scalar >= 0, the mean over all B * H * W pixels. 0, with gradient 0, for a batch
        without a labelled pixel.
    """
    label_map = tf.cast(label_map, tf.int32)
    by_pixel = tf.gather(weights, label_map)
    return _mean_cross_entropy(features, head, label_map + 1, by_pixel, fixed_head)


def generator_adversarial_loss(features, head, label_map, weights):
    """How far the discriminator is from taking generated pictures for their label maps.

    The same function as `discriminator_real_loss`, on the features of generated pictures; only
    these have a gradient, for the generator's update leaves the head alone.
    """
    return discriminator_real_loss(features, head, label_map, weights, fixed_head=True)


def discriminator_fake_loss(features, head):
    """Cross-entropy of the discriminator's answer on generated pictures with "fake" everywhere.

    Args:
        features: float (B, H, W, C), the input of the discriminator's last layer.
        head: that layer, (kernel, bias) as in `discriminator_real_loss`.

    Returns:
        float32 scalar >= 0, the plain mean over all pixels, unlabelled ones included.
    """
    fake = tf.zeros(tf.shape(features)[:-1], tf.int32)
    return _mean_cross_entropy(features, head, fake, tf.ones_like(fake, tf.float32))


def _mean_cross_entropy(features, head, classes, weights, fixed_head=False):
    count = tf.cast(tf.size(classes), tf.float32)
    rows = tf.reshape(features, (-1, features.shape[-1]))
    classes, weights = tf.reshape(classes, [-1]), tf.reshape(weights, [-1])
    total = linear_cross_entropy(rows, *head, classes, weights, fixed_layer=fixed_head)
    return total / count
