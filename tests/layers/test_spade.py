"""Patch-wise SPADE and first convolution, values and gradients, against the dense form."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers import reference
from oasis_tf.layers.region_conv import RegionConv
from oasis_tf.layers.spade import SPADE
from oasis_tf.models.patch_index import build_patch_index

N, Z, B, H, W = 5, 3, 2, 8, 12


def inputs(rng, vectors, scale):
    label_map = np.repeat(np.repeat(rng.integers(0, N, (B, H // 2, W // 2)), 2, 1), 2, 2)
    label_map = tf.constant(label_map, tf.int32)
    if vectors is None:
        noise_map = None
        noise = tf.constant(rng.normal(size=(B, Z)), tf.float32)
    else:
        noise_map = tf.constant(rng.integers(0, vectors, label_map.shape), tf.int32)
        noise = tf.constant(rng.normal(size=(B, vectors, Z)), tf.float32)
    patch_index = build_patch_index(
        label_map, N, [scale], noise_map=noise_map, noise_vectors=vectors or 1
    )
    return label_map, noise, noise_map, patch_index


def dense(label_map, noise, noise_map, scale=1):
    return reference.conditioning(label_map, noise, noise_map, num_classes=N, scale=scale)


@pytest.mark.parametrize("channels", [4, 40])
@pytest.mark.parametrize("vectors, scale", [(None, 1), (3, 1), (None, 2)])
def test_spade(rng, channels, vectors, scale):
    label_map, noise, noise_map, patch_index = inputs(rng, vectors, scale)
    # hidden = 32: 4 channels take the narrow way (project, then sum), 40 the wide one.
    layer = SPADE(channels, N, Z, hidden=32, gain=1.0)
    layer.gamma_bias.assign(rng.normal(size=channels))
    layer.shared.bias.assign(rng.normal(size=32))
    x = tf.constant(rng.normal(size=(B, H // scale, W // scale, channels)), tf.float32)
    sources = [x, noise, *(v.value for v in layer.trainable_variables)]

    def patchwise():
        table = tf.reshape(noise, (-1, Z))
        return layer(x, patch_index.with_noise(table)[0], training=True)

    def densely():
        return reference.spade(
            layer,
            x,
            dense(label_map, noise, noise_map, scale),
        )

    compare(patchwise, densely, sources)


@pytest.mark.parametrize("activate", [False, True])
def test_upsampled_and_activated(rng, activate):
    label_map, noise, noise_map, patch_index = inputs(rng, None, 1)
    layer = SPADE(6, N, Z, hidden=32, activate=activate, gain=1.0)
    x = tf.constant(rng.normal(size=(B, H // 2, W // 2, 6)), tf.float32)
    sources = [x, noise, *(v.value for v in layer.trainable_variables)]

    def patchwise():
        return layer(x, patch_index.with_noise(noise)[0], upsample=True, training=True)

    def densely():
        large = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
        y = reference.spade(
            layer, large, reference.conditioning(label_map, noise, noise_map, num_classes=N)
        )
        return tf.maximum(y, 0.2 * y) if activate else y

    compare(patchwise, densely, sources)
    # The running variance is the unbiased one of the upsampled tensor.
    large = np.repeat(np.repeat(x.numpy(), 2, 1), 2, 2)
    expected = 0.9 + 0.1 * large.var((0, 1, 2), ddof=1)
    layer.norm.running_variance.assign(tf.ones(6))
    layer(x, patch_index.with_noise(noise)[0], upsample=True, training=True)
    np.testing.assert_allclose(layer.norm.running_variance.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("vectors, scale", [(None, 1), (3, 4)])
def test_region_conv(rng, vectors, scale):
    label_map, noise, noise_map, patch_index = inputs(rng, vectors, scale)
    layer = RegionConv(N, Z, 6, gain=1.0)
    layer.bias.assign(rng.normal(size=6))
    patches = patch_index.levels[0]

    def patchwise():
        rows = layer(patch_index.with_noise(tf.reshape(noise, (-1, Z)))[0])
        return tf.gather(rows, tf.gather(patches.patches5[:, 4], patches.index))

    def densely():
        pixels = dense(label_map, noise, noise_map, scale)
        return reference.conv3x3(pixels, layer.kernel, layer.bias)

    compare(patchwise, densely, [noise, layer.kernel.value, layer.bias.value])


def compare(patchwise, densely, sources):
    actual, actual_gradients = weighted_gradients(patchwise, sources)
    expected, expected_gradients = weighted_gradients(densely, sources)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
    for a, e in zip(actual_gradients, expected_gradients, strict=True):
        a, e = tf.convert_to_tensor(a).numpy(), tf.convert_to_tensor(e).numpy()
        np.testing.assert_allclose(a, e, rtol=0, atol=1e-4 * max(1, np.abs(e).max()))


def weighted_gradients(function, sources):
    """The output, and the gradients of a sum of it with uneven weights: errors cannot cancel."""
    with tf.GradientTape() as tape:
        tape.watch(sources)
        output = function()
        weights = tf.cos(tf.range(tf.size(output), dtype=tf.float32))
        loss = tf.reduce_sum(output * tf.reshape(weights, tf.shape(output)))
    return output, tape.gradient(loss, sources)
