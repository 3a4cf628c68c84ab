"""The chunked cross-entropy against logits that are written out."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.execution import compiled
from oasis_tf.losses import linear_cross_entropy as module
from oasis_tf.losses.linear_cross_entropy import linear_cross_entropy

M, C, CLASSES = 23, 3, 7


def inputs(rng, dtype=tf.float32):
    return (
        tf.cast(rng.normal(size=(M, C)), dtype),
        tf.constant(rng.normal(size=(C, CLASSES)), tf.float32),
        tf.constant(rng.normal(size=CLASSES), tf.float32),
        tf.constant(rng.integers(0, CLASSES, M), tf.int32),
        # Some rows count nothing, as unlabelled pixels.
        tf.constant(rng.random(M) * (rng.random(M) < 0.7), tf.float32),
    )


def plain(features, kernel, bias, classes, weights):
    logits = tf.matmul(tf.cast(features, tf.float32), kernel) + bias
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)
    return tf.reduce_sum(loss * weights)


# One chunk; chunks that divide the rows; a last one that is shorter; one row at a time.
@pytest.mark.parametrize("rows", [1000, M, 8, 1])
@pytest.mark.parametrize(
    "wrap", [lambda f: f, tf.function, compiled], ids=["eager", "graph", "XLA"]
)
def test_value_and_gradients(rng, monkeypatch, rows, wrap):
    monkeypatch.setattr(module, "chunk_bytes", lambda what: rows * CLASSES * 4)
    arguments = inputs(rng)
    results = []
    for function in (linear_cross_entropy, plain):

        def weighted(*sources, function=function):
            with tf.GradientTape() as tape:
                tape.watch(sources)
                # Not the loss itself: what comes from above must be passed on.
                loss = 3 * function(*sources, *arguments[3:])
            return loss, *tape.gradient(loss, sources)

        results.append(wrap(weighted)(*arguments[:3]))
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_classes_too_unlikely_for_float32(rng):
    """Beside float64: their probabilities are 0 in float32, their losses hundreds to thousands."""
    features, kernel, bias, classes, weights = inputs(rng)
    kernel *= 500
    logits = features.numpy().astype(float) @ kernel.numpy() + bias.numpy()
    top = logits.max(1, keepdims=True)
    loss = np.log(np.exp(logits - top).sum(1)) + top[:, 0] - logits[range(M), classes.numpy()]
    assert loss[weights.numpy() > 0].max() > 1000
    ours = linear_cross_entropy(features, kernel, bias, classes, weights)
    np.testing.assert_allclose(ours, (loss * weights.numpy()).sum(), rtol=1e-5)


def test_a_graph_takes_any_number_of_rows(rng, monkeypatch):
    monkeypatch.setattr(module, "chunk_bytes", lambda what: 8 * CLASSES * 4)
    shapes = [(None, C), (C, CLASSES), (CLASSES,), (None,), (None,)]
    signature = [
        tf.TensorSpec(shape, tf.int32 if i == 3 else tf.float32) for i, shape in enumerate(shapes)
    ]
    run = tf.function(linear_cross_entropy, input_signature=signature)
    features, kernel, bias, classes, weights = inputs(rng)
    for n in (0, 5, 16, M):
        arguments = (features[:n], kernel, bias, classes[:n], weights[:n])
        np.testing.assert_allclose(run(*arguments), plain(*arguments), rtol=1e-5)


def test_features_of_low_precision_get_gradients_of_their_own(rng):
    arguments = inputs(rng, tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(arguments[:3])
        loss = linear_cross_entropy(*arguments)
    gradients = tape.gradient(loss, arguments[:3])
    np.testing.assert_allclose(loss, plain(*arguments), rtol=1e-5)
    assert [g.dtype for g in gradients] == [tf.bfloat16, tf.float32, tf.float32]


def test_a_fixed_layer_has_no_gradient_and_the_features_the_same(rng):
    arguments = inputs(rng)
    results = []
    for fixed in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(arguments[:3])
            loss = linear_cross_entropy(*arguments, fixed_layer=fixed)
        results.append((loss, *tape.gradient(loss, arguments[:3])))
    (loss, to_features, *_), (fixed_loss, to_features_fixed, *others) = results
    assert others == [None, None]
    np.testing.assert_array_equal(fixed_loss, loss)
    np.testing.assert_array_equal(to_features_fixed, to_features)
