import numpy as np
import pytest

from oasis_tf.evaluation.pictures import Chunk, Sampler
from tests.evaluation.fakes import FakeSynthesizer


@pytest.fixture
def chunk(rng):
    """Three pictures of a model of seed 10, from number 5 of a split on; one is unlabelled."""
    label_maps = rng.integers(0, 4, (3, 20, 24)).astype(np.int32)
    label_maps[2] = 0
    label_maps[0, :12] = 2
    real = rng.integers(0, 256, (3, 20, 24, 3), np.uint8)
    return Chunk(5, ("x", "y", "z"), label_maps, real, Sampler(FakeSynthesizer(), 10))
