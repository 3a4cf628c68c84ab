"""Data sets on disk to batches for training: build TFRecords once, read them ever after."""
