"""Gradients held to a multiple of their usual norm, which keeps explosions out of Adam."""

import tensorflow as tf

# How many times the running norm a gradient may have.
LIMIT = 10.0
# Share of the running norm that a step leaves: it remembers some 50 steps.
DECAY = 0.98


class GradientClip(tf.Module):
    """Scales gradients down whose norm is more than `LIMIT` times its running mean.

    In the first steps from near-zero weights a few gradients are 10^3 to 10^7 times as large as
    usual (docs/training_start.md). Adam's second moment would remember one for thousands of
    steps, and make none but tiny updates for as long. The running mean takes what was let
    through, so that an explosion lifts it by a fifth at most and a lasting change is followed
    within some dozen steps. A gradient of norm 0 (no labelled pixel in the batch) or one that is
    not finite leaves it as it is.

    Args:
        clips: False only measures. Defaults to True.

    Attributes:
        running_norm: float32 variable, 0 before the first gradient; part of a run's state.

    Reference: AdaGC, arXiv 2502.11034, and ZClip, arXiv 2504.02507, clip by running norms too.
    """

    def __init__(self, clips=True):
        super().__init__()
        self._clips = clips
        self.running_norm = tf.Variable(
            0.0, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )

    def __call__(self, gradients, norm):
        """Clips; in a replica context.

        Args:
            gradients: list of float32, the same on all replicas.
            norm: float32 scalar >= 0, their global norm.

        Returns:
            (the gradients, scaled or as they came; `norm` as a multiple of the running norm,
            float32 scalar >= 0, 1 for the very first gradient).
        """
        running = tf.identity(self.running_norm)
        usual = tf.where(running > 0, running, norm)
        limit = LIMIT * usual
        passed = DECAY * usual + (1 - DECAY) * tf.minimum(norm, limit)
        counts = (norm > 0) & tf.math.is_finite(norm)
        self.running_norm.assign(tf.where(counts, passed, running))
        if self._clips:
            # A branch, so that a usual gradient takes no trip through memory.
            gradients = tf.cond(
                norm > limit,
                lambda: [g * (limit / norm) for g in gradients],
                lambda: [tf.identity(g) for g in gradients],
            )
        return gradients, tf.math.divide_no_nan(norm, usual)
