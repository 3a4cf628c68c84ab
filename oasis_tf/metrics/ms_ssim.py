"""Multi-scale structural similarity: 1 for equal pictures, lower for different ones.

Source: Wang et al., Asilomar 2003. As in the PyTorch package that papers use: per colour channel,
a Gaussian window of 11 with deviation 1.5, borders left out, negative terms cut off at 0.
"""

import functools

import numpy as np
import tensorflow as tf

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _DEVIATION = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def possible_scales(height, width):
    """How many of the five scales fit: at the last one the window must fit into the picture.

    >>> possible_scales(256, 512), possible_scales(64, 128)
    (5, 3)
    """
    scales = 0
    while scales < len(_WEIGHTS) and min(height, width) > (_WINDOW - 1) * 2**scales:
        scales += 1
    return scales


def ms_ssim(x, y):
    """MS-SSIM of pairs of pictures.

    Pictures with a side of 160 or less have fewer scales (`possible_scales`); the weights of
    those that remain are divided by their sum, so such numbers are comparable with each other only.

    Args:
        x: (B, H, W, 3), uint8 or float in [0, 1].
        y: the same.

    Returns:
        float32 array (B,) in [0, 1].

    Raises:
        ValueError: shapes that differ, or pictures with a side of 10 or less.
    """
    if x.shape != y.shape:
        raise ValueError(f"pictures must have one shape. Received: {x.shape} and {y.shape}")
    if not possible_scales(*x.shape[1:3]):
        raise ValueError(f"pictures must be larger than 10x10. Received: {x.shape}")
    return _graph(*x.shape[1:])(_in_unit_range(x), _in_unit_range(y)).numpy()


def _in_unit_range(pictures):
    scale = 255.0 if pictures.dtype == np.uint8 else 1.0
    return tf.cast(pictures, tf.float32) / scale


@functools.cache
def _graph(height, width, channels):
    """`_ms_ssim` for any number of pictures of one size."""
    spec = tf.TensorSpec((None, height, width, channels), tf.float32)
    return tf.function(_ms_ssim, autograph=False, input_signature=[spec, spec])


def _ms_ssim(x, y):
    scales = possible_scales(*x.shape[1:3])
    weights = np.array(_WEIGHTS[:scales])
    if scales < len(_WEIGHTS):
        weights /= weights.sum()  # the five themselves add up to 1.0001, as published
    result = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _terms(x, y)  # (B, 3)
        last = scale == scales - 1
        term = luminance * contrast if last else contrast
        result *= tf.nn.relu(_mean(term)) ** float(weight)
        if not last:
            x, y = _halved(x), _halved(y)
    return tf.reduce_mean(result, axis=-1)


def _mean(maps):
    return tf.reduce_mean(maps, axis=(1, 2))


def _terms(x, y):
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return luminance, (2 * covariance + _C2) / (var_x + var_y + _C2)


def _blur(x):
    window = np.exp(-((np.arange(_WINDOW) - _WINDOW // 2) ** 2) / (2 * _DEVIATION**2))
    window = (window / window.sum()).astype(np.float32)
    for shape in ((_WINDOW, 1, 1, 1), (1, _WINDOW, 1, 1)):
        kernel = np.tile(window.reshape(shape), (1, 1, x.shape[-1], 1))
        x = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "VALID")
    return x


def _halved(x):
    # An odd side gets a row of zeros at its beginning, and the mean counts it.
    odd = [[0, 0], [x.shape[1] % 2, 0], [x.shape[2] % 2, 0], [0, 0]]
    return tf.nn.avg_pool2d(tf.pad(x, odd), 2, 2, "VALID")
