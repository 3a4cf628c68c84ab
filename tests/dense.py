"""SPADE and the first convolution as the papers write them: dense, on one-hot label maps.

The oracle of the patch-wise layers; never used outside of the tests.
"""

import tensorflow as tf


def conditioning(label_map, noise, noise_map, num_classes, scale=1):
    """Noise channels, then one-hot labels: float (B, h, w, Z + N)."""
    if noise_map is None:
        noise, noise_map = noise[:, None], tf.zeros_like(label_map)
    pixels = tf.gather(noise, noise_map, batch_dims=1)
    dense = tf.concat([pixels, tf.one_hot(label_map, num_classes)], axis=-1)
    return dense[:, ::scale, ::scale]


def convolve(x, kernel, bias):
    """3x3, zero padding."""
    return tf.nn.conv2d(x, kernel, 1, "SAME") + bias


def spade(layer, x, dense):
    """`layer` is an `oasis_tf.layers.spade.SPADE` in training mode, by its variables."""
    hidden = tf.nn.relu(convolve(dense, layer.shared.kernel, layer.shared.bias))
    gamma = convolve(hidden, layer.gamma_kernel, layer.gamma_bias)
    beta = convolve(hidden, layer.beta_kernel, layer.beta_bias)
    mean = tf.reduce_mean(x, [0, 1, 2])
    variance = tf.reduce_mean(tf.square(x - mean), [0, 1, 2])
    return (x - mean) / tf.sqrt(variance + 1e-5) * (1 + gamma) + beta
