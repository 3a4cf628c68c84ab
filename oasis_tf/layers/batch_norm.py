"""Affine-free batch normalisation whose statistics span all replicas."""

import keras
import tensorflow as tf


class BatchNorm(keras.layers.Layer):
    """Synchronised batch normalisation without scale and offset.

    Differs from `keras.layers.BatchNormalization` in one number: the running variance follows
    the unbiased batch variance (n - 1), as in the released checkpoints.

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
            mean, variance = self._batch_statistics(x, copies)
        else:
            mean = tf.convert_to_tensor(self.running_mean)
            variance = tf.convert_to_tensor(self.running_variance)
        scale = tf.math.rsqrt(variance + self.epsilon)
        return x * tf.cast(scale, x.dtype) - tf.cast(mean * scale, x.dtype)

    def _batch_statistics(self, x, copies):
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync
        mean, variance = tf.nn.moments(tf.cast(x, tf.float32), [0, 1, 2])
        if replicas > 1:
            # Mean first, then the spread around it: sums of squares would cancel.
            local_mean = mean
            mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, local_mean)
            spread = variance + tf.square(local_mean - mean)
            variance = context.all_reduce(tf.distribute.ReduceOp.MEAN, spread)
        count = tf.cast(tf.size(x) // x.shape[-1] * copies * replicas, tf.float32)
        unbiased = variance * count / tf.maximum(count - 1, 1)
        self._update(self.running_mean, mean)
        self._update(self.running_variance, unbiased)
        return mean, variance

    def _update(self, running, batch):
        batch = tf.stop_gradient(batch)
        running.assign(running * (1 - self.momentum) + batch * self.momentum)
