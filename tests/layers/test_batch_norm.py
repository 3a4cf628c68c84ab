"""Batch norm against NumPy, and two replicas against one."""

import numpy as np
import pytest
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


def test_gradient_equals_automatic_differentiation(rng):
    x = tf.constant(rng.normal(3, 2, size=(2, 4, 6, 5)), tf.float32)
    weights = tf.constant(rng.normal(size=(2, 4, 6, 5)), tf.float32)

    def plainly(x):
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        return (x - mean) / tf.sqrt(variance + 1e-5)

    gradients = []
    for normalize in (lambda x: BatchNorm(5)(x, training=True), plainly):
        with tf.GradientTape() as tape:
            tape.watch(x)
            # Not linear, so that the gradient from above differs from pixel to pixel.
            loss = tf.reduce_sum(weights * normalize(x) ** 2)
        gradients.append(tape.gradient(loss, x))
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_mean_far_from_zero_in_16_bits(rng, dtype):
    """The result is NumPy's of the same pixels, rounded once; so are the gradients."""
    x = tf.cast(rng.normal(100, 1, size=(2, 4, 6, 5)), dtype)
    dy = tf.cast(rng.normal(size=x.shape), dtype)
    layer = BatchNorm(5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dx = tape.gradient(y, x, dy)
    assert y.dtype == dx.dtype == x.dtype
    x64, dy64 = (t.numpy().astype(float) for t in (x, dy))
    deviation = np.sqrt(x64.var((0, 1, 2)) + 1e-5)
    y64 = (x64 - x64.mean((0, 1, 2))) / deviation
    dx64 = dy64 - dy64.mean((0, 1, 2)) - y64 * (dy64 * y64).mean((0, 1, 2))
    # Half a unit in the last of 8 or 11 places; the gradient reads the rounded result.
    unit = 2**-8 if dtype == "bfloat16" else 2**-11
    np.testing.assert_allclose(y.numpy().astype(float), y64, rtol=1.1 * unit, atol=1e-4)
    np.testing.assert_allclose(
        dx.numpy().astype(float), dx64 / deviation, rtol=1.1 * unit, atol=2 * unit
    )
    layer.running_mean.assign(x64.mean((0, 1, 2)))
    layer.running_variance.assign(x64.var((0, 1, 2)))
    np.testing.assert_allclose(layer(x).numpy().astype(float), y64, rtol=1.1 * unit, atol=1e-4)


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
    weights = rng.normal(size=x.shape).astype(np.float32)
    single = BatchNorm(3)
    with tf.GradientTape() as tape:
        whole = tf.constant(x)
        tape.watch(whole)
        expected = single(whole, training=True)
        loss = tf.reduce_sum(weights * expected**2)
    expected_gradient = tape.gradient(loss, whole)
    with mirrored.scope():
        layer = BatchNorm(3)

    @tf.function
    def run(batch):
        def replica(part):
            x, weights = part
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
                loss = tf.reduce_sum(weights * y**2)
            return y, tape.gradient(loss, x)

        return mirrored.run(replica, args=(batch,))

    dataset = mirrored.experimental_distribute_dataset(
        tf.data.Dataset.from_tensors((x, weights)).unbatch().batch(4)
    )
    output, gradient = (
        np.concatenate(mirrored.experimental_local_results(parts))
        for parts in run(next(iter(dataset)))
    )
    np.testing.assert_allclose(output, expected, atol=1e-4)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-3)
    for name in ("running_mean", "running_variance"):
        np.testing.assert_allclose(
            getattr(layer, name).numpy(), getattr(single, name).numpy(), rtol=1e-5
        )
