"""3x3 convolutions of a hidden layer that is known by its distinct patches."""

import tensorflow as tf

from oasis_tf.execution import by_xla, chunk_bytes


def patch_conv(hidden, patches5, kernels, *, at_most=None):
    """3x3 convolutions, zero padding, at the centre of each distinct 5x5 patch.

    Args:
        hidden: float (P, W), the hidden layer at the centre of each distinct 3x3 patch.
        patches5: int32 (Q, 9), rows of `hidden`, P = outside of the picture: a zero.
        kernels: a tuple of float (3, 3, W, outputs), of hidden's dtype.
        at_most: an int that Q never exceeds, or None if there is no such number.

    Returns:
        A tuple of float (Q, outputs), one for each kernel.
    """
    width = hidden.shape[1]
    # Row P, a zero: a convolution pads its input, here the hidden layer, with zeros.
    hidden = tf.pad(hidden, [[0, 1], [0, 0]])
    outputs = [kernel.shape[-1] for kernel in kernels]
    if sum(outputs) < width:
        # Narrow: project each 3x3 patch for each tap, then sum nine short rows.
        taps = tf.reshape(tf.concat(kernels, axis=-1), (9, width, -1))
        table = tf.matmul(hidden, tf.reshape(tf.transpose(taps, (1, 0, 2)), (width, -1)))
        table = tf.reshape(tf.cast(table, tf.float32), (-1, sum(outputs)))
        sums = tf.cast(sum_rows(table, patches5 * 9 + tf.range(9)), hidden.dtype)
        return tuple(tf.split(sums, outputs, axis=-1))
    # Wide: gather the nine hidden rows of each 5x5 patch, then project them.
    if by_xla():
        return tuple(_project_by_taps(hidden, patches5, *kernels))
    flat = (tf.reshape(k, (9 * width, n)) for k, n in zip(kernels, outputs, strict=True))
    if at_most is None or at_most > _chunk_size(hidden):
        return tuple(_gather_and_project(hidden, patches5, *flat))
    rows = tf.reshape(tf.gather(hidden, patches5), (-1, 9 * width))
    return tuple(tf.matmul(rows, kernel) for kernel in flat)


@tf.custom_gradient
def sum_rows(table, ids):
    """Sums of rows of a table: float32 (rows, C), int32 (n, k) -> float32 (n, C).

    Neither the value nor the gradient lays out the (n, k, C) rows.
    """
    flat = tf.reshape(ids, [-1])
    taps = ids.shape[1]
    if by_xla():
        # It has no kernel of `segment_sum`, and lays out no rows between a gather and its sum.
        total = tf.reduce_sum(tf.gather(table, ids), axis=1)

        def scattered(upstream):
            rows = tf.repeat(upstream, taps, axis=0)
            return tf.math.unsorted_segment_sum(rows, flat, tf.shape(table)[0]), None

        return total, scattered
    segments = tf.range(tf.size(flat)) // taps
    total = tf.sparse.segment_sum(table, flat, segments, num_segments=tf.shape(ids)[0])

    def gradient(upstream):
        # Each row of the table gets the sum of the upstream rows that it was added to. That is a
        # sum of rows again; `segment_sum` wants them sorted by where they go.
        upstream = tf.convert_to_tensor(upstream)
        order = tf.argsort(flat)
        sources = tf.gather(segments, order)
        rows = tf.shape(table)[0]
        return tf.sparse.segment_sum(upstream, sources, tf.gather(flat, order), rows), None

    return tf.ensure_shape(total, (ids.shape[0], table.shape[1])), gradient


def _chunk_size(hidden):
    """Real label maps fit in one chunk; where no patch repeats, chunks keep the nine hidden rows
    of every pixel from being laid out all at the same time."""
    return max(1, chunk_bytes("patches") // (9 * hidden.shape[1] * hidden.dtype.size))


@tf.custom_gradient
def _project_by_taps(hidden, patches5, *kernels):
    """(rows, W), (Q, 9), several (3, 3, W, n) -> several (Q, n), tap by tap.

    Keeps no gathered rows. All turns of the loop have the same shapes, as XLA wants them.
    """
    joined = tf.reshape(tf.concat(kernels, axis=-1), (9, hidden.shape[1], -1))
    outputs = [kernel.shape[-1] for kernel in kernels]
    taps = tf.transpose(patches5)

    def loop(visit, *state):
        return tf.while_loop(
            lambda tap, *_: tap < 9,
            lambda tap, *state: (tap + 1, *visit(tap, *state)),
            (0, *state),
            parallel_iterations=1,
        )[1:]

    def project(tap, total):
        return [total + tf.matmul(tf.gather(hidden, taps[tap]), joined[tap])]

    (total,) = loop(project, tf.zeros((tf.shape(patches5)[0], sum(outputs)), hidden.dtype))

    def gradient(*upstream):
        upstream = tf.concat(upstream, axis=-1)
        now = tf.identity(hidden)

        def visit(tap, to_hidden, to_kernels):
            to_rows = tf.matmul(upstream, joined[tap], transpose_b=True)
            # In float32: a patch may collect thousands of rows.
            to_hidden += tf.math.unsorted_segment_sum(
                tf.cast(to_rows, tf.float32), taps[tap], tf.shape(hidden)[0]
            )
            product = tf.matmul(tf.gather(now, taps[tap]), upstream, transpose_a=True)
            return to_hidden, tf.tensor_scatter_nd_update(to_kernels, [[tap]], product[None])

        to_hidden, to_kernels = loop(
            visit, tf.zeros(tf.shape(hidden)), tf.zeros(joined.shape, joined.dtype)
        )
        to_kernels = tf.reshape(to_kernels, (3, 3, hidden.shape[1], -1))
        split = tf.split(to_kernels, outputs, axis=-1)
        return tf.cast(to_hidden, hidden.dtype), None, *split

    return tf.split(total, outputs, axis=-1), gradient


@tf.custom_gradient
def _gather_and_project(hidden, patches5, *kernels):
    """(rows, W), (Q, 9), several (9 W, n) -> several (Q, n), in chunks; keeps no gathered rows."""
    width, size = hidden.shape[1], _chunk_size(hidden)
    count = tf.shape(patches5)[0]
    chunks = (count + size - 1) // size

    def gather(i, hidden=hidden):
        ids = patches5[i * size : (i + 1) * size]
        return ids, tf.reshape(tf.gather(hidden, ids), (-1, 9 * width))

    def loop(visit, state):
        return tf.while_loop(
            lambda i, *_: i < chunks,
            lambda i, *state: (i + 1, *visit(i, *state)),
            (0, *state),
            parallel_iterations=1,
        )[1:]

    def project(i, *pieces):
        _, rows = gather(i)
        return [p.write(i, tf.matmul(rows, k)) for p, k in zip(pieces, kernels, strict=True)]

    pieces = loop(
        project,
        [
            tf.TensorArray(k.dtype, chunks, infer_shape=False, element_shape=(None, k.shape[1]))
            for k in kernels
        ],
    )
    shape = (patches5.shape[0], None)
    results = [tf.ensure_shape(piece.concat(), shape) for piece in pieces]

    def gradient(*upstream):
        upstream = [tf.convert_to_tensor(dy) for dy in upstream]
        sources = (hidden, *kernels)
        # Delay the loop until the backward pass; otherwise TensorFlow gathers its first rows in the
        # forward pass and keeps them, and peak memory rises.
        with tf.control_dependencies(upstream):
            now = tf.identity(hidden)
            zeros = [tf.zeros(tf.shape(x), tf.float32) for x in sources]

        def visit(i, to_hidden, *to_kernels):
            ids, rows = gather(i, now)
            parts = [dy[i * size : (i + 1) * size] for dy in upstream]
            to_rows = tf.add_n(
                [tf.matmul(p, k, transpose_b=True) for p, k in zip(parts, kernels, strict=True)]
            )
            # In float32: a patch may collect thousands of rows, too many small terms for bfloat16.
            to_hidden += tf.math.unsorted_segment_sum(
                tf.reshape(tf.cast(to_rows, tf.float32), (-1, width)),
                tf.reshape(ids, [-1]),
                tf.shape(hidden)[0],
            )
            products = [tf.matmul(rows, p, transpose_a=True) for p in parts]
            return [
                to_hidden,
                *(a + tf.cast(b, tf.float32) for a, b in zip(to_kernels, products, strict=True)),
            ]

        to_hidden, *to_kernels = (
            tf.cast(total, x.dtype) for total, x in zip(loop(visit, zeros), sources, strict=True)
        )
        return to_hidden, None, *to_kernels

    return results, gradient
