"""The layers as the papers write them: dense, on one-hot label maps, a few lines each.

Read this to see the idea; the layers beside it compute the same numbers in less time. The tests
hold each of them to the function of its name here. Nothing else uses this file.

Sources: Park et al., CVPR 2019, Eq. 1 (SPADE); Miyato et al., ICLR 2018, Algorithm 1 (spectral
normalisation); Sushko et al., IJCV 2022, section 3.3 (3D noise, the generator's block).
"""

import tensorflow as tf


def conditioning(label_map, noise, noise_map=None, *, num_classes, scale=1):
    """What SPADE convolves: at each pixel its noise vector, then its one-hot label.

    Args:
        label_map: int (B, H, W), ids in [0, num_classes).
        noise: float (B, Z), or (B, K, Z) with `noise_map`.
        noise_map: int (B, H, W), which of an image's K vectors each pixel takes.
        num_classes: N.
        scale: keeps the pixels 0, s, 2s, ... of both axes.

    Returns:
        float32 (B, H / scale, W / scale, Z + N).
    """
    if noise_map is None:
        noise, noise_map = noise[:, None], tf.zeros_like(label_map)
    pixels = tf.gather(noise, noise_map, batch_dims=1)
    dense = tf.concat([pixels, tf.one_hot(label_map, num_classes)], axis=-1)
    return dense[:, ::scale, ::scale]


def conv3x3(x, kernel, bias):
    """float (B, h, w, C) -> (B, h, w, outputs), zero padding."""
    return tf.nn.conv2d(x, kernel, 1, "SAME") + bias


def spade(layer, x, dense):
    """norm(x) * (1 + gamma) + beta, both convolved from the conditioning, in training.

    Args:
        layer: `oasis_tf.layers.spade.SPADE`, for its variables.
        x: float32 (B, h, w, C).
        dense: from `conditioning`, of the same height and width.
    """
    hidden = tf.nn.relu(conv3x3(dense, layer.shared.kernel, layer.shared.bias))
    gamma = conv3x3(hidden, layer.gamma_kernel, layer.gamma_bias)
    beta = conv3x3(hidden, layer.beta_kernel, layer.beta_bias)
    mean = tf.reduce_mean(x, [0, 1, 2])
    variance = tf.reduce_mean(tf.square(x - mean), [0, 1, 2])
    return (x - mean) / tf.sqrt(variance + 1e-5) * (1 + gamma) + beta


def spectral_norm(kernel, u):
    """The kernel divided by its largest singular value, estimated by one power iteration.

    Args:
        kernel: float32 (size, size, C, outputs), taken as a matrix with a row an output.
        u: float32 (outputs,), of length one: what the last iteration left.

    Returns:
        (kernel / sigma, new u, new v float32 (size * size * C,)). Gradients pass through sigma,
        not through u and v.
    """
    matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
    fixed = tf.stop_gradient(matrix)
    v = tf.math.l2_normalize(tf.linalg.matvec(fixed, u))
    u = tf.math.l2_normalize(tf.linalg.matvec(fixed, v, transpose_a=True))
    sigma = tf.tensordot(v, tf.linalg.matvec(matrix, u), 1)
    return kernel / sigma, u, v


def generator_block(block, x, dense, *, upsample):
    """Two times (SPADE, leaky ReLU, convolution) around a shortcut, in training.

    Args:
        block: `oasis_tf.layers.generator_block.GeneratorBlock`, for its variables.
        x: float32 (B, h, w, C).
        dense: from `conditioning`, of the result's height and width.
        upsample: x is doubled in size first, by nearest upsampling.
    """

    def conv(layer, x):
        kernel, _, _ = spectral_norm(tf.convert_to_tensor(layer.kernel), layer.u)
        x = tf.nn.conv2d(x, kernel, 1, "SAME")
        return x if layer.bias is None else x + layer.bias

    if upsample:
        x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
    y = conv(block.conv_0, tf.nn.leaky_relu(spade(block.norm_0, x, dense), 0.2))
    y = conv(block.conv_1, tf.nn.leaky_relu(spade(block.norm_1, y, dense), 0.2))
    if block.conv_s is not None:
        x = conv(block.conv_s, spade(block.norm_s, x, dense))
    return x + y
