"""Data sets on disk to batches for training: build TFRecords once, read them ever after."""

import os
import warnings

# What Keras runs on, which TensorFlow imports. Another project's KERAS_BACKEND or
# ~/.keras/keras.json may say something else; `oasis_tf.keras_setup` sees to the rest of that file.
os.environ["KERAS_BACKEND"] = "tensorflow"

# A package behind TensorFlow tells users of Python 3.10 at each import that its makers have left
# it. That would be the first line of every command and of every log.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.api_core")
