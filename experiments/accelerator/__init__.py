"""What a GPU or TPU does with it: measured in TensorFlow, or as StableHLO in JAX."""
