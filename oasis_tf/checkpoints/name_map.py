"""Which released tensor is which variable of ours: data, one row each."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Transform(NamedTuple):
    """How one array is stored there and here: `transform(theirs)` is ours.

    Attributes:
        here: their array to ours.
        back: our array to theirs.
    """

    here: Callable
    back: Callable

    def __call__(self, array):
        return self.here(array)


def from_kernel(array):
    """(kh, kw, in, out) -> (out, in, kh, kw)."""
    return np.transpose(array, (3, 2, 0, 1))


# Biases and statistics are the same on both sides.
identity = Transform(lambda array: array, lambda array: array)
# (out, in, kh, kw) -> (kh, kw, in, out)
to_kernel = Transform(lambda array: np.transpose(array, (2, 3, 1, 0)), from_kernel)


def _spectral(theirs, conv):
    rows = [
        (f"{theirs}.weight_orig", conv.kernel, to_kernel),
        (f"{theirs}.weight_u", conv.u, identity),
        # v runs over (in, kh, kw) there and over (kh, kw, in) here.
        (f"{theirs}.weight_v", conv.v, _reorder_v(conv.kernel.shape)),
    ]
    if conv.bias is not None:
        rows.append((f"{theirs}.bias", conv.bias, identity))
    return rows


def _reorder_v(kernel_shape):
    height, width, inputs, _ = kernel_shape

    def here(array):
        return array.reshape(inputs, height, width).transpose(1, 2, 0).reshape(-1)

    def back(array):
        return array.reshape(height, width, inputs).transpose(2, 0, 1).reshape(-1)

    return Transform(here, back)


def _plain(theirs, kernel, bias):
    return [(f"{theirs}.weight", kernel, to_kernel), (f"{theirs}.bias", bias, identity)]


def _spade(theirs, spade):
    return [
        (f"{theirs}.first_norm.running_mean", spade.norm.running_mean, identity),
        (f"{theirs}.first_norm.running_var", spade.norm.running_variance, identity),
        *_plain(f"{theirs}.mlp_shared.0", spade.shared.kernel, spade.shared.bias),
        *_plain(f"{theirs}.mlp_gamma", spade.gamma_kernel, spade.gamma_bias),
        *_plain(f"{theirs}.mlp_beta", spade.beta_kernel, spade.beta_bias),
    ]


def generator_rows(generator):
    """Rows of (released name, our variable, transform from their array to ours)."""
    rows = _plain("fc", generator.first.kernel, generator.first.bias)
    for i, block in enumerate(generator.blocks):
        for part in ("0", "1", "s"):
            conv = getattr(block, f"conv_{part}")
            if conv is not None:
                rows += _spectral(f"body.{i}.conv_{part}", conv)
                rows += _spade(f"body.{i}.norm_{part}", getattr(block, f"norm_{part}"))
    return rows + _plain("conv_img", generator.last.kernel, generator.last.bias)


def discriminator_rows(discriminator):
    """Rows of (released name, our variable, transform from their array to ours)."""
    rows = []
    for side, blocks in (("body_down", discriminator.down), ("body_up", discriminator.up)):
        for i, block in enumerate(blocks):
            # The number behind the dot is the convolution's place in a sequence: leaky ReLU
            # (absent in the first block) and upsampling come before it.
            place = 2 if side == "body_up" else int(not block.first)
            rows += _spectral(f"{side}.{i}.conv1.{place}", block.conv_1)
            rows += _spectral(f"{side}.{i}.conv2.1", block.conv_2)
            if block.conv_s is not None:
                rows += _spectral(f"{side}.{i}.conv_s", block.conv_s)
    return rows + _plain("layer_up_last", discriminator.last.kernel, discriminator.last.bias)
