"""MS-SSIM against public numbers and an independent form in NumPy."""

import numpy as np
import pytest
from scipy import ndimage

from oasis_tf.metrics.ms_ssim import ms_ssim

WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


def in_numpy(x, y, scales):
    """One channel of one pair, in float64."""

    def blur(a):
        return ndimage.gaussian_filter(a, 1.5, radius=5)[5:-5, 5:-5]

    def halved(a):
        a = np.pad(a, [(a.shape[0] % 2, 0), (a.shape[1] % 2, 0)])
        return a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2).mean(axis=(1, 3))

    weights, result = WEIGHTS[:scales] / WEIGHTS[:scales].sum(), 1.0
    for scale in range(scales):
        mx, my = blur(x), blur(y)
        vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        term = (2 * cov + 9e-4) / (vx + vy + 9e-4)
        if scale == scales - 1:
            term = term * (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        result *= max(term.mean(), 0) ** weights[scale]
        x, y = halved(x), halved(y)
    return result


def test_public_numbers(cases):
    result = ms_ssim(cases["msssim_x"], cases["msssim_y"])
    np.testing.assert_allclose(result, cases["msssim"], rtol=1e-5)


@pytest.mark.parametrize("size, scales", [((47, 90), 3), ((41, 41), 3), ((12, 64), 1)])
def test_small_and_odd_pictures(rng, size, scales):
    x = rng.uniform(size=(2, *size, 3))
    y = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1)
    expected = [
        np.mean([in_numpy(a[..., c], b[..., c], scales) for c in range(3)])
        for a, b in zip(x, y, strict=True)
    ]
    np.testing.assert_allclose(ms_ssim(x, y), expected, rtol=1e-3)


def test_bytes(rng):
    x, y = rng.integers(0, 256, (2, 1, 30, 50, 3), np.uint8)
    np.testing.assert_allclose(ms_ssim(x, y), ms_ssim(x / 255, y / 255), atol=1e-5)
    np.testing.assert_allclose(ms_ssim(x, x), 1, rtol=1e-5)


def test_bad_input():
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim(np.zeros((1, 20, 20, 3)), np.zeros((1, 20, 24, 3)))
    with pytest.raises(ValueError, match="larger than 10x10"):
        ms_ssim(np.zeros((1, 8, 20, 3)), np.zeros((1, 8, 20, 3)))
