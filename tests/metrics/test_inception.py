"""The FID Inception network against public numbers, and files that are not its weights."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.checkpoints.torch_file import write_state_dict
from oasis_tf.keras_setup import keras
from oasis_tf.metrics.frozen import MissingWeights
from oasis_tf.metrics.inception import InceptionFeatures, _prepare


@pytest.fixture(scope="module")
def network(inception_file):
    return InceptionFeatures(inception_file)


def close(ours, theirs):
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, atol=1e-3 * scale, rtol=1e-3)


def test_public_numbers(network, cases):
    images = cases["inception_images"]
    # After the two max poolings and before Mixed_7a, so that a wrong layer is found near its place.
    layers = map(network._network.get_layer, ("pool_1", "pool_2", "Mixed_6e"))
    blocks = keras.Model(network._network.input, [layer.output for layer in layers])
    for i, found in enumerate(blocks(_prepare(images))):
        close(tf.reduce_mean(found, axis=(1, 2)).numpy(), cases[f"inception_block{i}_mean"])
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
