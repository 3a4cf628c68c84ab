"""The FID Inception network against public numbers, and files that are not its weights."""

import numpy as np
import pytest

from oasis_tf.checkpoints.torch_file import write_state_dict
from oasis_tf.metrics.frozen import MissingWeights
from oasis_tf.metrics.inception import InceptionFeatures


@pytest.fixture(scope="module")
def network(inception_file):
    return InceptionFeatures(inception_file)


def close(ours, theirs):
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, atol=1e-3 * scale, rtol=1e-3)


def test_public_numbers(network, cases):
    images = cases["inception_images"]
    for i, found in enumerate(network.probe(images)):
        close(found, cases[f"inception_block{i}_mean"])
    close(network(images), cases["inception_pool3"])


def test_bytes_and_floats(network, rng):
    images = rng.integers(0, 256, (1, 20, 30, 3), np.uint8)
    floats = images.astype(np.float32) / 255
    np.testing.assert_allclose(network(images), network(floats), rtol=1e-4, atol=1e-5)


def test_other_files(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(MissingWeights, match="no such file"):
        InceptionFeatures(path)
    path.write_bytes(b"no weights")
    with pytest.raises(MissingWeights, match="not a readable PyTorch file"):
        InceptionFeatures(path)
    write_state_dict(path, [("Conv2d_1a_3x3.conv.weight", np.zeros((32, 3, 3, 4), np.float32))])
    with pytest.raises(MissingWeights, match=r"must hold Conv2d_1a_3x3.conv.weight of shape"):
        InceptionFeatures(path)
