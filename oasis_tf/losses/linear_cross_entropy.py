"""Cross-entropy behind a linear layer, without ever holding the logits of all pixels."""

import tensorflow as tf

from oasis_tf.execution import avoids_counting, chunk_bytes


def linear_cross_entropy(features, kernel, bias, classes, weights, *, fixed_layer=False):
    """sum over i of weights_i * cross-entropy(softmax(features_i K + b), classes_i).

    Runs over chunks of rows. As the sum is linear in each chunk's loss, its gradients are made
    in the same visit as its value, so nothing of the width of the classes is kept or made twice:
    with 1205 classes the logits of one 256x256 picture alone would take 316 MB. Rows of weight 0,
    in sparse label maps the most, are left out on a CPU: they add nothing, and their gradient is 0.

    Args:
        features: float (M, C) of any precision; the logits are float32.
        kernel: float32 (C, classes).
        bias: float32 (classes,).
        classes: int (M,), ids in [0, classes).
        weights: float32 (M,), without gradient.
        fixed_layer: spares the gradients of kernel and bias; they are None.

    Returns:
        float32 scalar.
    """
    # The bias as a kernel's row for an input of one: no pass over the logits for it.
    layer = tf.concat([kernel, bias[None]], axis=0)
    if fixed_layer:
        layer = tf.stop_gradient(layer)
    constants = tf.stop_gradient(classes), tf.stop_gradient(weights)

    @tf.custom_gradient
    def compute(features, layer):
        return _sum(features, layer, *constants, fixed_layer=fixed_layer)

    return compute(features, layer)


def _sum(all_features, layer, classes, weights, *, fixed_layer):
    features, counted = all_features, None
    takes_all = avoids_counting() and features.shape[0] is not None
    if not takes_all:
        counted = tf.where(weights != 0)  # (rows, 1)
        features, classes, weights = (
            tf.gather_nd(x, counted) for x in (features, classes, weights)
        )
    channels, num_classes = layer.shape[0] - 1, layer.shape[1]
    kernel = layer[:-1]
    size = max(1, chunk_bytes("logits") // (4 * num_classes))
    chunks, rows, part = (_equal_chunks if takes_all else _chunks)(features, size)

    def visit(i, total, to_features, to_layer):
        x = tf.pad(tf.cast(part(features, i), tf.float32), [[0, 0], [0, 1]], constant_values=1)
        loss, to_logits = _cross_entropy(tf.matmul(x, layer), part(classes, i))
        # The weights on the narrow side of the products, not on the logits.
        weight = part(weights, i)
        column = weight[:, None]
        to_x = column * tf.matmul(to_logits, kernel, transpose_b=True)
        if not fixed_layer:
            to_layer += tf.matmul(column * x, to_logits, transpose_a=True)
        return (
            i + 1,
            # A sum and not a dot product: those add up one by one and round more.
            total + tf.reduce_sum(loss * weight),
            to_features.write(i, tf.cast(to_x, features.dtype)),
            to_layer,
        )

    pieces = tf.TensorArray(
        features.dtype, chunks, infer_shape=False, element_shape=(rows, channels)
    )
    _, total, pieces, to_layer = tf.while_loop(
        lambda i, *_: i < chunks,
        visit,
        (0, 0.0, pieces, tf.zeros_like(layer)),
        parallel_iterations=1,
    )
    if takes_all:
        to_features = tf.reshape(pieces.stack(), all_features.shape)
    else:
        to_features = tf.scatter_nd(counted, pieces.concat(), tf.shape(all_features, tf.int64))
        to_features = tf.ensure_shape(to_features, all_features.shape)

    def gradient(upstream):
        return tf.cast(upstream, features.dtype) * to_features, upstream * to_layer

    return total, gradient


def _chunks(features, size):
    """How many chunks of `size` rows there are; how many rows each has, if all have as many; and a
    function that takes one out of a tensor."""
    # One where there is no row at all, for a list of no pieces cannot be put together.
    chunks = tf.maximum((tf.shape(features)[0] + size - 1) // size, 1)
    return chunks, None, lambda x, i: x[i * size : (i + 1) * size]


def _equal_chunks(features, size):
    """The same with the largest size up to that which divides the rows."""
    rows = features.shape[0]
    size = next(n for n in range(min(size, rows), 0, -1) if rows % n == 0)
    return rows // size, size, lambda x, i: tf.reshape(x, (-1, size, *x.shape[1:]))[i]


def _cross_entropy(logits, classes):
    """Loss float32 (rows,) and its gradient float32 (rows, classes) with respect to the logits.

    TensorFlow's one operation for both takes more than twice the time on a CPU, and has no
    deterministic form on a GPU.
    """
    p = tf.nn.softmax(logits)
    # log p of the best class; that of another one lies below it by the distance of the logits.
    # Its own p may be too small for float32.
    best = tf.math.log(tf.reduce_max(p, axis=-1))
    behind = tf.reduce_max(logits, axis=-1) - tf.gather(logits, classes, batch_dims=1)
    return behind - best, p - tf.one_hot(classes, logits.shape[-1])
