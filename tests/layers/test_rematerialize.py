"""A repeated pass: the same gradients, no second side effect, and not before its time."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers.batch_norm import BatchNorm
from oasis_tf.layers.rematerialize import once, rematerialize
from oasis_tf.layers.spectral_conv import SpectralConv2D

SHAPE = (4, 4, 6, 3)


def make_pass(dtype):
    """A pass through both layers that have side effects; the layers; a list of its calls."""
    conv, norm = SpectralConv2D(3, 5, 3), BatchNorm(5)
    conv.kernel.assign(tf.random.stateless_normal(conv.kernel.shape, (1, 2)))
    conv.u.assign(tf.random.stateless_normal((5,), (3, 4)))
    calls = []

    def function(x, training):
        calls.append(x)
        y = tf.tanh(conv(tf.cast(x, dtype), training=training))
        return tf.cast(norm(y, training=training), tf.float32) * x[..., :1]

    return function, (conv, norm), calls


def one_pass(x, *, repeat, dtype="float32", strategy=None):
    """[output, gradients of x, kernel and bias, all variables], and how often it was called."""
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        function, layers, calls = make_pass(dtype)
    trained = [v.value for layer in layers for v in layer.trainable_variables]
    function = rematerialize(function) if repeat else function

    @tf.function(autograph=False)
    def run(batch):
        def replica(x):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([x, *trained])
                y = function(x, training=True)
                # Not linear, so that the gradient from above differs from pixel to pixel.
                loss = tf.reduce_sum(y**3)
            to_x, *others = tape.gradient(loss, [x, *trained])
            reduce = tf.distribute.get_replica_context().all_reduce
            return y, to_x, *(reduce(tf.distribute.ReduceOp.SUM, g) for g in others)

        return strategy.run(replica, args=(batch,))

    dataset = strategy.experimental_distribute_dataset(
        tf.data.Dataset.from_tensor_slices(x).batch(len(x))
    )
    y, to_x, *others = run(next(iter(dataset)))
    found = [np.concatenate(strategy.experimental_local_results(parts)) for parts in (y, to_x)]
    found += [strategy.experimental_local_results(g)[0].numpy() for g in others]
    return found + [v.numpy() for layer in layers for v in layer.variables], len(calls)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_same_gradients_and_no_second_side_effect(rng, dtype):
    x = rng.normal(size=SHAPE).astype(np.float32)
    expected, calls = one_pass(x, repeat=False, dtype=dtype)
    assert calls == 1
    actual, calls = one_pass(x, repeat=True, dtype=dtype)
    assert calls == 2
    # Output, gradients of x, kernel and bias, the same two, u, v, mean, variance.
    assert len(actual) == 10
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * np.abs(b).max())


def test_two_replicas(rng, mirrored):
    x = rng.normal(size=SHAPE).astype(np.float32)
    expected, _ = one_pass(x, repeat=False)
    actual, calls = one_pass(x, repeat=True, strategy=mirrored)
    assert calls == 4
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * np.abs(b).max())


def test_several_inputs_and_one_without_a_gradient():
    a, b, c = (tf.constant([x]) for x in (2.0, 3.0, 5.0))
    with tf.GradientTape() as tape:
        tape.watch([a, b, c])
        y = rematerialize(lambda a, b, c, power: a**power * b + tf.stop_gradient(c))(
            a, b, c, power=3
        )
    # d(a^3 b)/da = 3 a^2 b = 36, d/db = a^3 = 8.
    assert [g and g.numpy().tolist() for g in tape.gradient(y, [a, b, c])] == [[36], [8], None]


def ancestors(operation):
    found, todo = set(), [operation]
    while todo:
        for before in [*(x.op for x in todo[-1].inputs), *todo.pop().control_inputs]:
            if before not in found:
                found.add(before)
                todo.append(before)
    return found


def test_the_repetition_waits_for_the_gradient_from_above():
    """Also what does not depend on the inputs, as gamma and beta in a block do not."""
    weight = tf.Variable([0.5])

    @tf.function(autograph=False)
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = rematerialize(lambda x: x**2 * tf.tanh(weight))(x)
            # Nothing else makes a Digamma, its gradient.
            loss = tf.math.lgamma(y)
        return tape.gradient(loss, [x, weight])

    graph = run.get_concrete_function(tf.TensorSpec([1])).graph
    tanhs = [op for op in graph.get_operations() if op.type == "Tanh"]
    waits = [any(op.type == "Digamma" for op in ancestors(tanh)) for tanh in tanhs]
    assert sorted(waits) == [False, True]


def test_once_outside_of_any_repetition():
    calls = []
    for i in range(2):
        assert once(lambda i=i: calls.append(i) or 7) == 7
    assert calls == [0, 1]


def test_an_error_in_a_pass_does_not_stay():
    def fail(x):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rematerialize(fail)(tf.constant([1.0]))
    assert once(lambda: 7) == 7
