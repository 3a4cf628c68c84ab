"""The method, and the method without one of its parts: flags of `python -m oasis_tf.train`."""

FULL = "full"

# Name: (what it is, flags).
VARIANTS = {
    FULL: ("the paper's method", {}),
    "no_labelmix": ("no LabelMix", {"labelmix_weight": 0}),
    "no_balance": ("no class balance", {"class_balance": "none"}),
    "no_noise": ("no noise", {"noise_channels": 0}),
    "noise_first": ("noise in the first layer only", {"noise_layers": "first"}),
    "real_fake": (
        "real/fake discriminator",
        {"discriminator": "real_fake", "labelmix_weight": 0, "class_balance": "none"},
    ),
}
# Only where the weights of VGG19 are given.
PERCEPTUAL = "perceptual"
_PERCEPTUAL_WEIGHT = 10  # of SPADE's


def variants(vgg_weights=None):
    """{name: (what it is, flags)} of the variants that can be trained.

    Args:
        vgg_weights: path of VGG19's weights, or None.
    """
    if vgg_weights is None:
        return VARIANTS
    flags = {"perceptual_weight": _PERCEPTUAL_WEIGHT, "vgg_weights": vgg_weights}
    return {**VARIANTS, PERCEPTUAL: ("with a perceptual loss", flags)}


def title(name):
    """What a variant is, in a few words."""
    if name == PERCEPTUAL:
        return "with a perceptual loss"
    return VARIANTS[name][0]
