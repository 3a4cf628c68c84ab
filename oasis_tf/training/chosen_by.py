"""By which score a run chooses its best checkpoint."""

import json

import tensorflow as tf


class ChosenBy(tf.train.experimental.PythonState):
    """The name of that score, kept in the checkpoint beside the score itself.

    Attributes:
        name: str, or None in a checkpoint that does not say.
    """

    def __init__(self):
        self.name = None

    def serialize(self):
        """The name, for TensorFlow's checkpoint."""
        return json.dumps(self.name)

    def deserialize(self, string_value):
        """Takes the name from a checkpoint."""
        self.name = json.loads(string_value)
