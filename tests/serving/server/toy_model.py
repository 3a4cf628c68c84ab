"""A SavedModel with a signature for each thing a server has to get right."""

import tensorflow as tf


def save_toy_model(path, *, add=2.0):
    """Writes one version.

    Args:
        path: of the version's directory.
        add: what `serving_default` adds to the half of x, to tell versions apart.
    """
    module = tf.Module()
    module.add = tf.Variable(add)

    def spec(shape, dtype, name):
        return tf.TensorSpec(shape, dtype, name=name)

    def signature(*specs):
        return lambda function: tf.function(function, input_signature=specs, autograph=False)

    @signature(spec([None, 1], tf.float32, "x"))
    def half_plus(x):
        return {"y": x / 2 + module.add}

    @signature(spec([None, 2], tf.float32, "a"), spec([None], tf.int64, "b"))
    def two(a, b):
        return {"sum": tf.reduce_sum(a, 1) + tf.cast(b, tf.float32), "b": b}

    @signature(spec([None], tf.string, "text_bytes"))
    def text(text_bytes):
        return {"echo": text_bytes, "echo_bytes": text_bytes}

    @signature(spec([None], tf.int32, "x"))
    def total(x):
        return {"total": tf.reduce_sum(x)}

    @signature(spec([None], tf.float32, "seconds"))
    def wait(seconds):
        end = tf.timestamp() + tf.cast(tf.reduce_max(seconds), tf.float64)
        done = tf.while_loop(lambda now: now < end, lambda now: [tf.timestamp()], [tf.timestamp()])[
            0
        ]
        rows = tf.shape(seconds)[0]
        return {"rows": tf.fill([rows], rows + tf.cast(done, tf.int32) * 0)}

    @signature(spec([None], tf.int32, "x"))
    def positive(x):
        check = tf.debugging.assert_positive(x, message="x must be positive.")
        with tf.control_dependencies([check]):
            return {"x": tf.identity(x)}

    @signature(spec([None], tf.float32, "x"))
    def half_precision(x):
        return {"y": tf.cast(x, tf.float16)}

    @signature(spec([None], tf.float16, "x"))
    def takes_half(x):
        return {"y": tf.cast(x, tf.float32)}

    def same(dtype):
        return signature(spec(None, dtype, "x"))(lambda x: {"y": tf.identity(x)})

    signatures = {
        "serving_default": half_plus,
        "two": two,
        "text": text,
        "total": total,
        "wait": wait,
        "positive": positive,
        "half_precision": half_precision,
        "takes_half": takes_half,
    }
    names = "float32 float64 int8 int16 int32 int64 uint8 uint32 uint64 bool string"
    for name in names.split():
        signatures[name] = same(tf.as_dtype(name))
    tf.saved_model.save(module, str(path), signatures=signatures)
