"""Cross-entropy behind a linear layer, without ever holding the logits of all pixels."""

import tensorflow as tf

# Logits held at once. Small enough to stay in a processor's cache, where a chunk's four passes
# (product, softmax, two products back) run fastest; large enough that starting them costs nothing.
_CHUNK_BYTES = 2**23


def linear_cross_entropy(features, kernel, bias, classes, weights):
    """sum over i of weights_i * cross-entropy(softmax(features_i K + b), classes_i).

    Runs over chunks of rows. As the sum is linear in each chunk's loss, its gradients are made
    in the same visit as its value, so nothing of the width of the classes is kept or made twice:
    with 1205 classes the logits of one 256x256 picture alone would take 316 MB.

    Args:
        features: float (M, C) of any precision; the logits are float32.
        kernel: float32 (C, classes).
        bias: float32 (classes,).
        classes: int (M,), ids in [0, classes).
        weights: float32 (M,), without gradient.

    Returns:
        float32 scalar.
    """
    return _sum(features, kernel, bias, tf.stop_gradient(classes), tf.stop_gradient(weights))


@tf.custom_gradient
def _sum(features, kernel, bias, classes, weights):
    channels, num_classes = kernel.shape
    size = max(1, _CHUNK_BYTES // (4 * num_classes))
    rows = tf.shape(features)[0]
    chunks = (rows + size - 1) // size

    def visit(i, total, to_features, to_kernel, to_bias):
        chunk = slice(i * size, (i + 1) * size)
        x = tf.cast(features[chunk], tf.float32)
        loss, to_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=tf.matmul(x, kernel) + bias, labels=classes[chunk]
        )
        weight = weights[chunk]
        to_logits *= weight[:, None]
        to_x = tf.cast(tf.matmul(to_logits, kernel, transpose_b=True), features.dtype)
        return (
            i + 1,
            # A sum and not a dot product: those add up one by one and round more.
            total + tf.reduce_sum(loss * weight),
            to_features.write(i, to_x),
            to_kernel + tf.matmul(x, to_logits, transpose_a=True),
            to_bias + tf.reduce_sum(to_logits, axis=0),
        )

    pieces = tf.TensorArray(
        features.dtype, chunks, infer_shape=False, element_shape=(None, channels)
    )
    _, total, pieces, to_kernel, to_bias = tf.while_loop(
        lambda i, *_: i < chunks,
        visit,
        (0, 0.0, pieces, tf.zeros_like(kernel), tf.zeros_like(bias)),
        parallel_iterations=1,
    )
    to_features = tf.ensure_shape(pieces.concat(), features.shape)

    def gradient(upstream):
        scaled = tf.cast(upstream, features.dtype) * to_features
        return scaled, upstream * to_kernel, upstream * to_bias, None, None

    return total, gradient
