"""By which score a run chooses its best checkpoint."""

import json

import tensorflow as tf


class ChosenBy(tf.train.experimental.PythonState):
    """The name of that score, kept in the checkpoint beside the score itself.

    Attributes:
        name: str, or None in a checkpoint that does not say.
        network: SHA-256 of the segmenter whose number it is, None where it is no segmenter's or
            the checkpoint does not say.
    """

    def __init__(self):
        self.name = None
        self.network = None

    def change(self, name, network):
        """Sets both.

        Returns:
            whether the score that was kept is another one, and so compares with no later one.
        """
        before = (self.name, self.network)
        self.name, self.network = name, network
        if before[0] is None:
            return False
        return before[0] != name or before[1] not in (None, network)

    def serialize(self):
        """Both, for TensorFlow's checkpoint."""
        return json.dumps([self.name, self.network])

    def deserialize(self, string_value):
        """Takes both from a checkpoint; earlier ones hold the name alone."""
        value = json.loads(string_value)
        self.name, self.network = value if isinstance(value, list) else (value, None)
