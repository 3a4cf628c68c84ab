"""Batch norm against NumPy, and two replicas against one."""

import numpy as np
import tensorflow as tf

from oasis_tf.layers.batch_norm import BatchNorm


def test_training_and_running_statistics(rng):
    x = rng.normal(3, 2, size=(2, 4, 6, 5)).astype(np.float32)
    layer = BatchNorm(5)
    y = layer(x, training=True)
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-5), atol=1e-5)
    # 48 values a channel: the running variance follows the unbiased one.
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * mean, rtol=1e-5)
    unbiased = x.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.running_variance.numpy(), 0.9 + 0.1 * unbiased, rtol=1e-5)


def test_evaluation_uses_and_keeps_the_running_statistics(rng):
    x = rng.normal(size=(1, 2, 4, 3)).astype(np.float32)
    layer = BatchNorm(3)
    layer.running_mean.assign([1.0, 2.0, 3.0])
    layer.running_variance.assign([1.0, 4.0, 9.0])
    expected = (x - [1, 2, 3]) / np.sqrt(np.array([1, 4, 9]) + 1e-5)
    np.testing.assert_allclose(layer(x, training=False), expected, atol=1e-6)
    assert layer.running_mean.numpy().tolist() == [1, 2, 3]


def test_two_replicas_equal_one(rng, mirrored):
    # A large mean, so that sums of squares would cancel.
    x = rng.normal(100, 1, size=(4, 2, 6, 3)).astype(np.float32)
    x[2:] += 1
    single = BatchNorm(3)
    expected = single(x, training=True)
    with mirrored.scope():
        layer = BatchNorm(3)

    @tf.function
    def run(batch):
        return mirrored.run(lambda part: layer(part, training=True), args=(batch,))

    dataset = mirrored.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors(x).unbatch().batch(4)
    )
    output = run(next(iter(dataset)))
    parts = mirrored.experimental_local_results(output)
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-4)
    for name in ("running_mean", "running_variance"):
        np.testing.assert_allclose(
            getattr(layer, name).numpy(), getattr(single, name).numpy(), rtol=1e-5
        )
