"""Data sets on disk to batches for training: build TFRecords once, read them ever after."""

import warnings

# A package behind TensorFlow tells users of Python 3.10 at each import that its makers have left
# it. That would be the first line of every command and of every log.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.api_core")
