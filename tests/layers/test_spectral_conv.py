"""Spectral normalisation against the singular value decomposition and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers.initializers import xavier_normal
from oasis_tf.layers.spectral_conv import SpectralConv2D, refine


def largest_singular_value(kernel):
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def test_power_iterations_find_the_largest_singular_value(rng):
    layer = SpectralConv2D(4, 6, 3)
    # Known singular values: where the first two are close, the iterations take thousands.
    left, right = (np.linalg.qr(rng.normal(size=(n, 6)))[0] for n in (36, 6))
    values = np.array([0.03, 0.02, 0.018, 0.011, 0.007, 0.002])
    layer.kernel.assign((left * values @ right).reshape(3, 3, 4, 6))
    x = tf.zeros((1, 2, 3, 4))
    for _ in range(40):
        layer(x, training=True)
    np.testing.assert_allclose(layer.sigma(), 0.03, rtol=1e-5)
    np.testing.assert_allclose(
        largest_singular_value(layer.normalized_kernel().numpy()), 1, rtol=1e-4
    )


def test_one_training_call_is_one_iteration_and_evaluation_is_none(rng):
    layer = SpectralConv2D(3, 5, 3)
    kernel, u = layer.kernel.numpy().reshape(-1, 5), layer.u.numpy()
    x = tf.constant(rng.normal(size=(1, 4, 6, 3)), tf.float32)
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u.numpy(), u)
    layer(x, training=True)
    v = kernel @ u / np.linalg.norm(kernel @ u)
    u = kernel.T @ v / np.linalg.norm(kernel.T @ v)
    np.testing.assert_allclose(layer.v.numpy(), v, atol=1e-6)
    np.testing.assert_allclose(layer.u.numpy(), u, atol=1e-6)
    np.testing.assert_allclose(layer.sigma(), v @ kernel @ u, rtol=1e-5)


def test_refining_a_model_is_as_many_iterations_of_each_layer(rng, mirrored):
    def make():
        keras.utils.set_random_seed(1)
        return keras.Sequential([keras.Input((4, 6, 3)), *(SpectralConv2D(3, 3, 3) for _ in "ab")])

    model, other = make(), make()
    for _ in range(3):
        other(tf.zeros((1, 4, 6, 3)), training=True)
    with mirrored.scope():
        on_two = make()
    tf.function(refine, autograph=False)(model, 3)
    tf.function(lambda: mirrored.run(refine, args=(on_two, 3)), autograph=False)()
    for expected, *layers in zip(other.layers, model.layers, on_two.layers, strict=True):
        for layer in layers:
            np.testing.assert_allclose(layer.u.numpy(), expected.u.numpy(), atol=1e-6)
            np.testing.assert_allclose(layer.v.numpy(), expected.v.numpy(), atol=1e-6)
            np.testing.assert_array_equal(layer.kernel.numpy(), expected.kernel.numpy())


def test_the_kernel_stays_raw_and_the_gradient_passes_through_sigma(rng):
    layer = SpectralConv2D(2, 3, 3)
    raw = layer.kernel.numpy()
    direction = rng.normal(size=raw.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        # <W / sigma, W> / ... does not change when W is scaled, so along W itself the
        # derivative of any function of W / sigma is 0. That fails if sigma is a constant.
        loss = tf.reduce_sum(layer.normalized_kernel() * direction)
    gradient = tape.gradient(loss, layer.kernel.value).numpy()
    np.testing.assert_array_equal(layer.kernel.numpy(), raw)
    scale = np.linalg.norm(gradient) * np.linalg.norm(raw)
    assert abs(np.sum(gradient * raw)) < 1e-5 * scale
    assert np.linalg.norm(gradient) > 0


def convolve_plainly(x, kernel, resample):
    if resample == "upsample2x":
        x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
    y = tf.nn.conv2d(x, kernel, 1, "SAME")
    return tf.nn.avg_pool2d(y, 2, 2, "VALID") if resample == "avg_pool2x" else y


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("resample", [None, "avg_pool2x", "upsample2x"])
# The result of one small picture is smaller than the kernel, that of forty is larger.
@pytest.mark.parametrize("batch", [1, 40])
def test_wherever_it_divides_by_sigma_it_equals_the_plain_form(rng, batch, resample, training):
    layer = SpectralConv2D(6, 8, 3, resample=resample)
    x = tf.constant(rng.normal(size=(batch, 4, 6, 6)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.sin(30 * layer(x, training=training)))
    kernel, u, v = (tf.constant(w.numpy()) for w in (layer.kernel, layer.u, layer.v))
    with tf.GradientTape() as plain_tape:
        plain_tape.watch([x, kernel])
        sigma = tf.einsum("i,io,o->", v, tf.reshape(kernel, (-1, 8)), u)
        expected = tf.reduce_sum(tf.sin(30 * convolve_plainly(x, kernel / sigma, resample)))
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-3)
    gradients = tape.gradient(loss, [x, layer.kernel.value])
    plain = plain_tape.gradient(expected, [x, kernel])
    for actual, wanted in zip(gradients, plain, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_kernel_of_zeros_stays_finite():
    layer = SpectralConv2D(2, 2, 1)
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    layer(tf.ones((1, 1, 2, 2)), training=True)
    assert np.isfinite(layer.u.numpy()).all()


def test_xavier_normal_has_the_stated_deviation():
    # fan in 9 * 100, fan out 9 * 200: sqrt(2 / 2700) * 0.02
    sample = xavier_normal(0.02)((3, 3, 100, 200)).numpy()
    np.testing.assert_allclose(sample.std(), 0.02 * np.sqrt(2 / 2700), rtol=0.01)
    # Not cut off at two deviations: 4.6% of the values lie beyond.
    assert 0.04 < np.mean(np.abs(sample) > 2 * sample.std()) < 0.05


@pytest.mark.parametrize("gain", [0, -1.0])
def test_a_gain_that_is_not_positive_is_an_error(gain):
    with pytest.raises(ValueError, match=r"`gain` must be positive. Received"):
        xavier_normal(gain)
