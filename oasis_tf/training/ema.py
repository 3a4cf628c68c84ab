"""The generator averaged over training, which is the one that is evaluated and used."""

import tensorflow as tf

from oasis_tf.training.randomness import Purpose, replica_part, step_noise


def warmed_up(decay, step):
    """The decay of the average after `step` steps: min(decay, (1 + step) / (10 + step)).

    An average that remembers 10,000 steps from the start on is after 1,000 steps still nine
    tenths untrained weights. With this it holds about the last ninth of the steps, until that
    is as long as `decay` says, at step 9 / (1 - decay).

    Args:
        decay: float in [0, 1).
        step: int tensor, steps done before this one.

    Returns:
        float32 scalar in [0.1, decay], or `decay` where that is smaller.

    Reference: the form of `tf.train.ExponentialMovingAverage` with `num_updates`.

    >>> [round(float(warmed_up(0.9999, step)), 4) for step in (0, 90, 10**6)]
    [0.1, 0.91, 0.9999]
    """
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1 + step) / (10 + step))


def update_ema(average, current, decay, strategy):
    """average = decay * average + (1 - decay) * current, for every trained weight.

    The other variables (batch statistics, singular vectors) are no weights but estimates that
    belong to some weights; they are copied and re-estimated before the average is used
    (`StatisticsEstimator`). Runs in the cross-replica context.

    Args:
        average: the averaged `Generator`, changed in place.
        current: the `Generator` in training.
        decay: float32 in [0, 1]; the released models use 0.9999, Cityscapes 0.999.
        strategy: the `tf.distribute.Strategy` both were built under.
    """

    def blend(mean, new):
        mean.assign_sub((mean - new) * (1 - decay))

    def copy(mean, new):
        mean.assign(new)

    for function, kind in ((blend, "trainable_variables"), (copy, "non_trainable_variables")):
        for mean, new in zip(getattr(average, kind), getattr(current, kind), strict=True):
            strategy.extended.update(mean.value, function, args=(new.value,), group=False)


class StatisticsEstimator:
    """Re-estimates batch-norm statistics by training-mode passes over training label maps.

    An averaged network has never run in training mode, so its running statistics belong to
    other weights. The released code does the same over 50 batches before each evaluation.

    As in training, the replicas share each micro-batch, and its statistics are those of all of
    them: a device holds no more than in a training step, and how many there are changes nothing
    but rounding.

    Args:
        generator: the averaged `Generator`; its statistics and singular vectors change.
        seed: int, of the noise.
        micro_batches: of a batch, one after the other. Defaults to 1.
        strategy: the `tf.distribute.Strategy` the generator was built under. Defaults to the
            current one.
    """

    def __init__(self, generator, *, seed, micro_batches=1, strategy=None):
        self._generator = generator
        self._seed = seed
        self._micro_batches = micro_batches
        self._strategy = strategy or tf.distribute.get_strategy()
        self._forward = tf.function(self._forward_batch, autograph=False)

    def __call__(self, label_maps):
        """Runs over an iterable of int32 (B, H, W), all of one shape, the same for all workers.

        B is a multiple of the micro-batches times the replicas.
        """
        for index, label_map in enumerate(label_maps):
            shape = (label_map.shape[0], self._generator.noise_channels)
            noise = step_noise(shape, self._seed, index, Purpose.STATISTICS)
            for part in zip(
                tf.split(label_map, self._micro_batches),
                tf.split(noise, self._micro_batches),
                strict=True,
            ):
                self._forward(*part)

    def _forward_batch(self, label_map, noise):
        def replica():
            self._generator(replica_part(label_map), replica_part(noise), training=True)

        self._strategy.run(replica)
