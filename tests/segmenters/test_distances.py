"""Distances in a segmenter's features, against the network in NumPy's hands."""

import itertools

import keras
import numpy as np
import pytest

from oasis_tf.segmenters.distances import SegmenterDistances
from oasis_tf.segmenters.network import BOTTLENECK, build_segmentation_network
from oasis_tf.segmenters.segmenter import save_segmenter

HEIGHT, WIDTH = 32, 48


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    path = tmp_path_factory.mktemp("segmenter")
    keras.utils.set_random_seed(2)
    model = build_segmentation_network(3, 2)
    save_segmenter(path, model, list("abc"), features=BOTTLENECK)
    return model, SegmenterDistances(path)


def test_against_numpy(segmenter, rng):
    model, distances = segmenter
    pictures = rng.integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    # The ReLUs: at each of the four sizes the second one, and the bottleneck.
    relus = [layer.output for layer in model.layers if isinstance(layer, keras.layers.Activation)]
    maps = keras.Model(model.input, [relus[i] for i in (1, 3, 5, 7, 9)])(pictures / 127.5 - 1)
    expected = np.zeros((HEIGHT, WIDTH))
    for y, x in np.ndindex(HEIGHT, WIDTH):
        for level, features in enumerate(maps):
            at = features.numpy()[:, y >> level, x >> level]
            for a, b in itertools.combinations(at, 2):
                lengths = np.linalg.norm(a), np.linalg.norm(b)
                if any(lengths):
                    expected[y, x] += 1 - a @ b / max(np.prod(lengths), 1e-12)
    expected /= 5 * 3
    assert expected.mean() > 0.02
    np.testing.assert_allclose(distances.pairs(pictures), expected, atol=2e-3)


def test_a_picture_and_itself(segmenter, rng):
    picture = rng.integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    distance = segmenter[1].pairs(np.concatenate([picture, picture]))
    assert distance.shape == (HEIGHT, WIDTH) and distance.max() < 1e-3
