"""LabelMix: the discriminator should see each region by itself.

Source: Sushko et al., IJCV 2022, section 3.2, Eq. 3.
"""

import tensorflow as tf

__all__ = ["labelmix_loss", "labelmix_mask", "mix"]


def labelmix_mask(label_map, mask_bits):
    """Which pixels come from the photograph.

    Args:
        label_map: int (B, H, W), ids in [0, N).
        mask_bits: bool (B, N), True = the class is taken from the photograph in that image.

    Returns:
        bool (B, H, W, 1).
    """
    return tf.gather(mask_bits, label_map, batch_dims=1)[..., None]


def mix(mask, real, generated):
    """Pixels of `real` where `mask`, of `generated` elsewhere; (B, H, W, C) all."""
    return tf.where(mask, real, generated)


def labelmix_loss(mixed, real, fake, mask, head):
    """Mean squared difference between the answer on the mix and the mix of the answers.

    The answers are linear in the features, so their difference is W^T d with d the difference
    of the features, the bias dropping out, and the sum of its squares over all pixels is that of
    the products of two small matrices' entries, d^T d and W W^T: no logits are made.

    Args:
        mixed: float (B, H, W, C), the discriminator's features of mix(real, generated).
        real: the same of the photographs.
        fake: the same of the generated pictures.
        mask: bool (B, H, W, 1) from `labelmix_mask`.
        head: the discriminator's last layer, (kernel W float32 (C, N + 1), bias (N + 1,)).

    Returns:
        float32 scalar >= 0, the mean over pixels and outputs. Gradients flow into all three
        features, as in the released code, and into W.
    """
    kernel, _ = head
    difference = tf.cast(mixed, tf.float32) - tf.cast(mix(mask, real, fake), tf.float32)
    rows = tf.reshape(difference, (-1, kernel.shape[0]))
    spread = tf.matmul(rows, rows, transpose_a=True)
    gram = tf.matmul(kernel, kernel, transpose_b=True)
    outputs = tf.cast(tf.shape(rows)[0] * kernel.shape[1], tf.float32)
    return tf.reduce_sum(spread * gram) / outputs
