"""OASIS in TensorFlow: photographs from semantic label maps and 3D noise."""

from oasis_tf.loading import load

__all__ = ["load"]
