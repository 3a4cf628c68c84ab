"""Counts against sums worked out by hand, for base width 1."""

import pytest

from benchmarks.floor import (
    discriminator_multiply_adds,
    discriminator_update_multiply_adds,
    floor,
    generator_multiply_adds,
    matmul_side,
    step_multiply_adds,
)
from benchmarks.labels import PatchCounts

WIDTHS = dict(base_channels=1, noise_channels=1, hidden=1)
# One region, one pixel and one patch at every resolution: sums of products of widths remain.
ONES = PatchCounts(1, {scale: (1, 1, 1) for scale in (32, 16, 8, 4, 2, 1)})


def test_generator_by_hand():
    # A SPADE of c channels: 9 * 1 * 1 for the noise, 9 * 2 * c for gamma and beta.
    first = 9 * 16
    wide = 2 * (9 + 18 * 16) + 9 * (16 * 16 + 16 * 16)  # 16 -> 16, twice
    third = (9 + 18 * 16) + (9 + 18 * 8) + (9 + 18 * 16) + 9 * (16 * 8 + 8 * 8) + 16 * 8
    fourth = (9 + 18 * 8) + (9 + 18 * 4) + (9 + 18 * 8) + 9 * (8 * 4 + 4 * 4) + 8 * 4
    fifth = (9 + 18 * 4) + (9 + 18 * 2) + (9 + 18 * 4) + 9 * (4 * 2 + 2 * 2) + 4 * 2
    sixth = (9 + 18 * 2) + (9 + 18 * 1) + (9 + 18 * 2) + 9 * (2 * 1 + 1 * 1) + 2 * 1
    last = 9 * 1 * 3
    total = first + 2 * wide + third + fourth + fifth + sixth + last
    assert total == 14498
    assert generator_multiply_adds(ONES, **WIDTHS) == total


def test_only_distinct_patches_count_for_spade():
    more = dict(ONES.levels)
    more[1] = (1, 3, 1)
    # Two more patches for the last block's SPADEs of 2, 1 and 2 channels.
    expected = 14498 + 2 * 9 * 2 * (2 + 1 + 2)
    assert generator_multiply_adds(PatchCounts(1, more), **WIDTHS) == expected


def test_discriminator_by_hand():
    pixels = 64 * 64
    # Multiply-adds per pixel of the picture: 3x3 at full size, 4x4 and 1x1 after halving.
    first = 9 * 3 * 2 + 16 * 2 * 2 / 4 + 3 * 2 / 4
    second = (9 * 2 * 2 + 16 * 2 * 2 / 4) / 4
    third = (9 * 2 * 4 + 16 * 4 * 4 / 4 + 2 * 4 / 4) / 16
    fourth = (9 * 4 * 4 + 16 * 4 * 4 / 4) / 64
    fifth = (9 * 4 * 8 + 16 * 8 * 8 / 4 + 4 * 8 / 4) / 256
    sixth = (9 * 8 * 8 + 16 * 8 * 8 / 4) / 1024
    down = first + second + third + fourth + fifth + sixth
    assert down == 99.34375
    # Going up from 1/4096 of the pixels: 4 multiplications an output and channel, 9 for the
    # second convolution, 1x1 before doubling; inputs are twice as wide for the skips.
    up = (
        4 * (4 * 8 * 8 + 9 * 8 * 8) / 4096
        + (4 * (4 * 16 * 4 + 9 * 4 * 4) + 16 * 4) / 1024
        + (4 * (4 * 8 * 4 + 9 * 4 * 4) + 8 * 4) / 256
        + (4 * (4 * 8 * 2 + 9 * 2 * 2) + 8 * 2) / 64
        + (4 * (4 * 4 * 2 + 9 * 2 * 2) + 4 * 2) / 16
        + (4 * (4 * 4 * 1 + 9 * 1 * 1) + 4 * 1) / 4
    )
    assert up == 56.8125
    assert discriminator_multiply_adds(pixels, base_channels=1) == (down + up) * pixels


def test_updates_by_hand():
    pixels, judged = 64 * 64, 156.15625 * 64 * 64
    # Three pictures through the network, logits of two, d^T G d of the third; backward twice that.
    last = 2 * pixels * 1 * 4 + pixels * 1 * 1
    update = 3 * (3 * judged + last)
    assert discriminator_update_multiply_adds(pixels, 3, base_channels=1) == update
    counts = PatchCounts(1, {**ONES.levels, 1: (pixels, 1, 1)})
    drawn = generator_multiply_adds(counts, **WIDTHS)
    # G's update: G forward and backward, D forward and back to the picture; then G once more.
    step = 3 * drawn + 2 * (judged + pixels * 4) + drawn + update
    assert step_multiply_adds(counts, 3, **WIDTHS) == step


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_floor(dtype):
    name, product = matmul_side(dtype, quick=True)
    product()
    # 2 * 64^3 = 524288 operations in half a second at best; in the median 3 * 524288
    # multiply-adds, 6 * 524288 operations, take 3 seconds.
    found = floor([524288, 3 * 524288, 9 * 524288], {name: [0.7, 0.5, 9.0]}, dtype, quick=True)
    assert found["seconds"] == pytest.approx(3)
    assert found["giga_operations_per_second"] == pytest.approx(1048576 / 1e9)
