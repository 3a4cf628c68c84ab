"""LabelMix: the discriminator should judge each region by itself.

Source: Sushko et al., IJCV 2022, section 3.2, Eq. 3.
"""

import tensorflow as tf

__all__ = ["labelmix_loss", "labelmix_mask", "mix"]


def labelmix_mask(label_map, coins):
    """Which pixels come from the photograph.

    Args:
        label_map: int (B, H, W), ids in [0, N).
        coins: bool (B, N), True = the class is taken from the photograph in that image.

    Returns:
        bool (B, H, W, 1).
    """
    return tf.gather(coins, label_map, batch_dims=1)[..., None]


def mix(mask, real, generated):
    """Pixels of `real` where `mask`, of `generated` elsewhere; (B, H, W, C) all."""
    return tf.where(mask, real, generated)


def labelmix_loss(mixed_logits, real_logits, fake_logits, mask):
    """Mean squared difference between the answer on the mix and the mix of the answers.

    Args:
        mixed_logits: float32 (B, H, W, N + 1), the discriminator on mix(real, generated).
        real_logits: the same on the photographs.
        fake_logits: the same on the generated pictures.
        mask: bool (B, H, W, 1) from `labelmix_mask`.

    Returns:
        float32 scalar >= 0. Gradients flow into all three logits, as in the released code.
    """
    return tf.reduce_mean(tf.square(mixed_logits - mix(mask, real_logits, fake_logits)))
