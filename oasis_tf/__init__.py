"""OASIS in TensorFlow: photographs from semantic label maps and 3D noise."""

import data_pipeline  # noqa: F401  before TensorFlow: it silences one of its packages
from oasis_tf.sampling.loading import load

__all__ = ["load"]
