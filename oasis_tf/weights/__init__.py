"""The authors' released checkpoints, in and out."""

from oasis_tf.weights.released import Released, load_released, save_released

__all__ = ["Released", "load_released", "save_released"]
