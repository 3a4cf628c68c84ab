"""Affine-free batch normalisation whose statistics span all replicas."""

import tensorflow as tf

from oasis_tf.keras_setup import keras
from oasis_tf.layers.first_order import first_order
from oasis_tf.layers.rematerialize import once

_INSTEAD = (
    "penalise gradients through a generator with training=False, where the statistics are constants"
)


class BatchNorm(keras.layers.Layer):
    """Synchronised batch normalisation without scale and offset.

    Differs from `keras.layers.BatchNormalization` in one number: the running variance follows
    the unbiased batch variance (n - 1), as in the released checkpoints.

    In training there are first derivatives only: those of gradients (a penalty on the length of
    paths through the generator, for example) raise NotImplementedError.

    Args:
        channels: C.
        momentum: weight of the newest batch in the running statistics. Defaults to 0.1.
        epsilon: added to the variance. Defaults to 1e-5.
    """

    def __init__(self, channels, *, momentum=0.1, epsilon=1e-5, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        options = dict(shape=(channels,), trainable=False, aggregation="only_first_replica")
        self.running_mean = self.add_weight(name="running_mean", initializer="zeros", **options)
        self.running_variance = self.add_weight(
            name="running_variance", initializer="ones", **options
        )
        self.built = True

    def call(self, x, training=False, copies=1):
        """Normalises float (B, H, W, C) per channel; in training by the global batch.

        Args:
            x: of any float precision; the statistics are float32.
            training: by the batch's statistics, which then move the running ones.
            copies: how often each pixel of x stands for itself: 4 before an upsampling by two.
                The copies have the same mean and spread, and count in the unbiased variance.

        Returns:
            float (B, H, W, C), of x's dtype.
        """
        if training:
            mean, variance = once(lambda: self._measure(tf.stop_gradient(x), copies))
            return _normalize_by_batch(x, mean, tf.math.rsqrt(variance + self.epsilon))
        mean = tf.convert_to_tensor(self.running_mean)
        variance = tf.convert_to_tensor(self.running_variance)
        return _normalize(x, mean, tf.math.rsqrt(variance + self.epsilon))

    def _measure(self, x, copies):
        """Mean and variance (C,) of all replicas' pixels; the running ones follow."""
        x32 = tf.cast(x, tf.float32)
        # Mean first, then the spread around it: sums of squares would cancel.
        mean = _mean(x32)
        variance = _mean(tf.math.squared_difference(x32, mean))
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        count = tf.cast(tf.size(x) // x.shape[-1] * copies * replicas, tf.float32)
        unbiased = variance * count / tf.maximum(count - 1, 1)
        for running, batch in ((self.running_mean, mean), (self.running_variance, unbiased)):
            running.assign(running * (1 - self.momentum) + batch * self.momentum)
        return mean, variance


@tf.custom_gradient
def _normalize_by_batch(x, mean, inverse):
    """x normalised by its own statistics, which come as constants but are in the gradient of x.

    The gradient is taken from the result, which the next layer keeps anyway: with y = (x - mean)
    / deviation, dx = (dy - mean(dy) - y mean(y dy)) / deviation. Automatic differentiation keeps
    x as well, and goes through memory twice as often.
    """
    y = _normalize(x, mean, inverse)

    def gradient(dy):
        # Delay this copy until the backward pass; otherwise TensorFlow makes it in the forward pass
        # and keeps it, and peak memory rises.
        with tf.control_dependencies([dy]):
            y32 = tf.cast(y, tf.float32)
        dy32 = tf.cast(dy, tf.float32)
        dx = dy32 - y32 * _mean(dy32 * y32)
        dx = tf.cast((dx - _mean(dy32)) * inverse, dy.dtype)
        return first_order(dx, "BatchNorm in training", _INSTEAD), None, None

    return y, gradient


def _normalize(x, mean, inverse):
    # In float32 until the end: where the mean is large, 16 bits keep nothing of the difference.
    return tf.cast((tf.cast(x, tf.float32) - mean) * inverse, x.dtype)


def _mean(x):
    """Per channel, float32 (B, h, w, C) -> (C,), over all replicas."""
    # Two reductions, of rows and then of the rest, are quicker than one and round less.
    mean = tf.reduce_mean(tf.reduce_mean(x, axis=2), axis=[0, 1])
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return mean
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
