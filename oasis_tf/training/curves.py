"""TensorBoard's curves, with a sentence on each."""

import tensorflow as tf

# By name, or by the part of it in front of the slash.
DESCRIPTIONS = {
    "loss/generator": "Cross-entropy of the generated pictures' pixels with their labels, as the "
    "discriminator sees them: what the generator learns from, with the perceptual loss if there "
    "is one.",
    "loss/perceptual": "How unlike the photographs of the same label maps the generated pictures "
    "are to VGG19, with its weight left out; 0 where there is no such loss.",
    "loss/discriminator": "What the discriminator learns from: discriminator_fake + "
    "discriminator_real + lambda times labelmix.",
    "loss/discriminator_fake": 'Cross-entropy of the generated pictures\' pixels with "fake", as '
    "the discriminator sees them.",
    "loss/discriminator_real": "Cross-entropy of the photographs' pixels with their labels, as the "
    "discriminator sees them.",
    "loss/labelmix": "How far the discriminator's answer to a mixture of two pictures is from the "
    "mixture of its answers to both, with the weight lambda left out.",
    "gradient_norm": "Norm of the gradient before clipping.",
    "gradient_excess": "Norm of the gradient as a multiple of its running mean, the largest since "
    "the last point. Above 10 it is clipped (docs/training_start.md).",
    "skipped_updates": "Updates so far that overflowed in float16 and were not made.",
    "sigma": "Spectral norm of one layer's raw kernel, by which the kernel is divided.",
    "learning_rate": "Of Adam.",
    "images_per_second": "Photographs per second, over all devices.",
    "score/miou": "mIoU that the discriminator gives to the averaged generator's pictures on the "
    "validation labels. Compares steps of one run; not the mIoU of the paper.",
    "score/accuracy": "Share of the labelled pixels of generated pictures whose class the "
    "discriminator recognises.",
    "discriminator/real_accuracy": "Share of the photographs' labelled pixels whose class the "
    "discriminator recognises.",
    "discriminator/real_as_fake": "Share of the photographs' pixels that the discriminator takes "
    "for fake.",
    "discriminator/fake_as_fake": "Share of the generated pixels that the discriminator takes for "
    "fake; 0 means that the generator deceives it, 1 that it does not at all.",
    "metrics": "As `oasis_tf.evaluate` computes it on the validation labels (docs/evaluation.md).",
}


def describe(name):
    """The sentence on a curve, or None.

    >>> describe("gradient_norm/generator")
    'Norm of the gradient before clipping.'
    """
    return DESCRIPTIONS.get(name, DESCRIPTIONS.get(name.partition("/")[0]))


class DescribedScalars:
    """Writes points of curves, with the sentence on a curve beside its first one.

    TensorBoard keeps what comes first; with every point it would be most of the file. In the place
    of `tf.summary.scalar` in `orbit.utils.SummaryManager`, which has no descriptions of its own.
    """

    def __init__(self):
        self._described = set()

    def __call__(self, name, value, step):
        """Writes a point with the current writer."""
        new = name not in self._described
        self._described.add(name)
        tf.summary.scalar(name, value, step=step, description=describe(name) if new else None)
