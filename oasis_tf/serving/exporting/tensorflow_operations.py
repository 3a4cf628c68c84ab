"""What `draw_plainly` needs, in TensorFlow: operations that XLA and LiteRT's builtins have."""

import tensorflow as tf

from oasis_tf.layers.activation import SLOPE


class TensorFlowOperations:
    """The operations on tensors, with the channels last.

    No shape is computed from another one before the picture is there, so that LiteRT can plan the
    memory of any size.
    """

    def checked_labels(self, label_map, num_classes):
        """The label map as it is; a look-up that fails, where the engine checks, for other ids."""
        return tf.gather(tf.range(num_classes), label_map)

    def pixel_vectors(self, noise, noise_map, labels):
        """The noise of each pixel, (B, H, W, Z); `noise_map` may be one that `labels` stretches."""
        return tf.gather(noise, noise_map + tf.zeros_like(labels), batch_dims=1)

    def every(self, x, scale):
        """The pixels 0, s, 2s, ... of both axes of a picture."""
        return x[:, ::scale, ::scale]

    def neighbours(self, labels, scale, outside):
        """The labels of the nine taps at a resolution, row by row, with `outside` at the border."""
        padded = tf.pad(
            self.every(labels, scale), [[0, 0], [1, 1], [1, 1]], constant_values=outside
        )
        ends = (-2, -1, None)
        return [padded[:, i : ends[i], j : ends[j]] for i in range(3) for j in range(3)]

    def look_up(self, rows, ids):
        """float32 (N + 1, C), int32 (B, h, w) -> (B, h, w, C)."""
        return tf.gather(rows, ids)

    def channels(self, x):
        """(B, h, w, C) as a picture of the engine's own layout."""
        return x

    def conv(self, x, conv):
        """A `Conv` of a picture."""
        y = tf.nn.conv2d(x, conv.kernel, 1, "SAME")
        return y if conv.bias is None else y + conv.bias

    def upsample2x(self, x):
        """Nearest, without a word of the size: each pixel's four copies become a square."""
        return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)

    def add(self, a, b):
        """Elementwise."""
        return a + b

    def multiply(self, a, b):
        """Elementwise."""
        return a * b

    def relu(self, x):
        """Elementwise."""
        return tf.nn.relu(x)

    def leaky_relu(self, x):
        """Elementwise, of the networks' slope."""
        return tf.nn.leaky_relu(x, SLOPE)

    def tanh(self, x):
        """Elementwise."""
        return tf.tanh(x)

    def pictures(self, x, label_map):
        """A picture to (B, H, W, 3); fails unless that is the label map's size."""
        return tf.reshape(x, tf.concat([tf.shape(label_map), [3]], axis=0))
