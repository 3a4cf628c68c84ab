"""LPIPS against public numbers, and by its definition."""

import numpy as np
import pytest

from oasis_tf.metrics.frozen import MissingWeights
from oasis_tf.metrics.lpips import Lpips


@pytest.mark.parametrize("net", ["vgg", "alex"])
def test_public_numbers(net, lpips_files, cases):
    lpips = Lpips(net, *lpips_files[net])
    x, y = cases["lpips_x"], cases["lpips_y"]
    np.testing.assert_allclose(lpips(x, y), cases[f"lpips_{net}"], rtol=1e-4)


def test_of_features(lpips_files, rng):
    lpips = Lpips("alex", *lpips_files["alex"])
    images = rng.integers(0, 256, (3, 40, 70, 3), np.uint8)
    np.testing.assert_array_equal(lpips(images, images), 0)
    floats = (images / 127.5 - 1).astype(np.float32)
    one_to_all = lpips.between(lpips.features(images[:1]), lpips.features(images))
    pairs = lpips(np.repeat(floats[:1], 3, axis=0), floats)
    np.testing.assert_allclose(one_to_all, pairs, rtol=1e-4, atol=1e-7)
    assert (pairs[1:] > 0).all()


def test_bad_input(lpips_files, tmp_path):
    lpips = Lpips("alex", *lpips_files["alex"])
    with pytest.raises(ValueError, match="31 pixels a side"):
        lpips.features(np.zeros((1, 16, 64, 3), np.uint8))
    with pytest.raises(MissingWeights, match="no such file"):
        Lpips("alex", lpips_files["alex"][0], tmp_path / "alex.pth")
    with pytest.raises(MissingWeights, match=r"features.0.weight of shape \(64, 3, 11, 11\)"):
        Lpips("alex", lpips_files["vgg"][0], lpips_files["alex"][1])
