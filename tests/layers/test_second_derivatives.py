"""Second derivatives, as penalties on gradients take them: right, or refused by name.

Each function with a gradient of its own against its plain form, differentiated twice by TensorFlow.
"""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.layers import convolution, patch_conv
from oasis_tf.layers.activation import leaky_relu
from oasis_tf.layers.batch_norm import BatchNorm
from oasis_tf.layers.modulate import modulate
from oasis_tf.layers.rematerialize import rematerialize
from oasis_tf.layers.resampled_conv import avg_pool2x, upsample2x
from oasis_tf.layers.spectral_conv import SpectralConv2D
from oasis_tf.losses import linear_cross_entropy as loss_module

INDEX = np.array([[[0, 2, 1, 1], [3, 0, 2, 0]]], np.int32)
PATCHES5 = np.array([[0, 5, 1, 2, 2, 3, 4, 4, 5], [1, 1, 0, 3, 2, 5, 5, 0, 4]] * 2, np.int32)
CLASSES = np.array([1, 0, 3, 2, 1, 3, 0], np.int32)
WEIGHTS = np.array([0.5, 1, 0, 2, 0.25, 0, 1.5], np.float32)


def repeat2x(x):
    return tf.repeat(tf.repeat(x, 2, 1), 2, 2)


def plain_modulate(x, gamma, beta, upsample):
    index = INDEX
    if upsample:
        x = repeat2x(x)
        index = np.concatenate([INDEX, INDEX[:, ::-1]], 1).repeat(2, 2)
    y = x * (1 + tf.gather(gamma, index)) + tf.gather(beta, index)
    return tf.where(y > 0, y, 0.2 * y)


def our_modulate(x, gamma, beta, upsample):
    index = INDEX
    if upsample:
        index = np.concatenate([INDEX, INDEX[:, ::-1]], 1).repeat(2, 2)
    return modulate(x, gamma, beta, tf.constant(index), upsample=upsample, activate=True)


def plain_patch_conv(hidden, *kernels):
    hidden = tf.pad(hidden, [[0, 1], [0, 0]])
    rows = tf.reshape(tf.gather(hidden, PATCHES5), (len(PATCHES5), -1))
    products = [tf.matmul(rows, tf.reshape(k, (-1, k.shape[-1]))) for k in kernels]
    return tf.concat(products, axis=-1)


def our_patch_conv(hidden, *kernels):
    return tf.concat(patch_conv.patch_conv(hidden, tf.constant(PATCHES5), kernels), axis=-1)


def plain_cross_entropy(features, kernel, bias):
    logits = tf.matmul(features, kernel) + bias
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=CLASSES, logits=logits)
    return tf.reduce_sum(losses * WEIGHTS)


def our_cross_entropy(features, kernel, bias):
    return loss_module.linear_cross_entropy(features, kernel, bias, CLASSES, WEIGHTS)


def conv(x, kernel, stride):
    return tf.nn.conv2d(x, kernel, stride, "SAME")


def conv_transposed(x, kernel):
    return tf.nn.conv2d_transpose(x, kernel, (1, 8, 12, 2), 2, "SAME")


# Name: ours, the plain form, the shapes of their arguments.
CASES = {
    "leaky_relu": (leaky_relu, lambda x: tf.where(x > 0, x, 0.2 * x), [(2, 3)]),
    "upsample2x": (upsample2x, repeat2x, [(1, 2, 4, 3)]),
    "convolve 3x3": (
        lambda x, k: convolution.convolve(x, k),
        lambda x, k: conv(x, k, 1),
        [(1, 4, 6, 3), (3, 3, 3, 2)],
    ),
    "convolve 4x4": (
        lambda x, k: convolution.convolve(x, k, 2),
        lambda x, k: conv(x, k, 2),
        [(1, 4, 6, 3), (4, 4, 3, 2)],
    ),
    "convolve_transposed": (
        convolution.convolve_transposed,
        conv_transposed,
        [(1, 4, 6, 3), (4, 4, 2, 3)],
    ),
    **{
        f"modulate, upsample={upsample}": (
            lambda *args, upsample=upsample: our_modulate(*args, upsample),
            lambda *args, upsample=upsample: plain_modulate(*args, upsample),
            [(1, 2, 4, 3), (4, 3), (4, 3)],
        )
        for upsample in (False, True)
    },
    "sum_rows": (
        lambda table: patch_conv.sum_rows(table, tf.constant(PATCHES5)),
        lambda table: tf.reduce_sum(tf.gather(table, PATCHES5), axis=1),
        [(6, 3)],
    ),
    "patch_conv, wide": (
        our_patch_conv,
        plain_patch_conv,
        [(5, 3), (3, 3, 3, 2), (3, 3, 3, 4)],
    ),
    "linear_cross_entropy": (our_cross_entropy, plain_cross_entropy, [(7, 3), (3, 4), (4,)]),
    "rematerialize": (
        rematerialize(lambda x, k: conv(tf.tanh(x), k, 1) ** 2),
        lambda x, k: conv(tf.tanh(x), k, 1) ** 2,
        [(1, 4, 6, 3), (3, 3, 3, 2)],
    ),
}


def bent(y):
    """A loss that is not linear, and has another slope at each place."""
    return tf.reduce_sum(tf.sin(y) * tf.random.stateless_normal(y.shape, (1, 2)))


def penalty_gradients(function, arguments):
    """The gradients of |the gradients of a loss of function(arguments)|^2."""
    with tf.GradientTape() as outer:
        outer.watch(arguments)
        with tf.GradientTape() as inner:
            inner.watch(arguments)
            y = function(*arguments)
            loss = bent(y)
        gradients = [tf.convert_to_tensor(g) for g in inner.gradient(loss, arguments)]
        penalty = tf.add_n([tf.reduce_sum(g**2) for g in gradients])
    return [tf.convert_to_tensor(g) for g in outer.gradient(penalty, arguments)]


@pytest.fixture
def all_paths(monkeypatch):
    """Our own gradients also where TensorFlow's are as quick, and several chunks."""
    monkeypatch.setattr(convolution, "_products_pay", lambda *_: True)
    monkeypatch.setattr(patch_conv, "chunk_bytes", lambda what: 300)
    monkeypatch.setattr(loss_module, "chunk_bytes", lambda what: 3 * 4 * 4)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_right(rng, all_paths, name, graph):
    ours, plain, shapes = CASES[name]
    arguments = [tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes]

    def run(*arguments):
        return penalty_gradients(ours, arguments)

    run = tf.function(run, autograph=False) if graph else run
    expected = penalty_gradients(plain, arguments)
    assert all(np.abs(g).max() > 0.1 for g in expected)
    for actual, right in zip(run(*arguments), expected, strict=True):
        np.testing.assert_allclose(actual, right, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("resample", [None, "avg_pool2x", "upsample2x"])
@pytest.mark.parametrize("training", [False, True])
def test_a_penalty_on_gradients_at_pictures_reaches_the_kernel(rng, training, resample):
    """As R1 does: through the convolution, and through sigma."""
    layer = SpectralConv2D(3, 5, 3, resample=resample)
    layer.kernel.assign(rng.normal(size=layer.kernel.shape))
    x = tf.constant(rng.normal(size=(2, 4, 6, 3)), tf.float32)
    layer.u.assign(rng.normal(size=5))
    layer(x, training=True)  # for a sigma that is not near zero
    u, v = layer.u.numpy(), layer.v.numpy()

    def plain(x, training):
        matrix = tf.reshape(layer.kernel, (-1, 5))
        nonlocal u, v
        if training:
            v = np.asarray(tf.linalg.normalize(tf.linalg.matvec(matrix, u))[0])
            u = np.asarray(tf.linalg.normalize(tf.linalg.matvec(matrix, v, transpose_a=True))[0])
        sigma = tf.tensordot(tf.linalg.matvec(matrix, u), v, 1)
        x = repeat2x(x) if resample == "upsample2x" else x
        y = conv(x, layer.kernel / sigma, 1)
        return avg_pool2x(y) if resample == "avg_pool2x" else y

    found = []
    for function in (layer, plain):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = bent(function(x, training=training))
            penalty = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        found.append(outer.gradient(penalty, layer.kernel.value))
    assert np.abs(found[1]).max() > 0.1
    np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-3)


def twice(function, argument):
    """Differentiates |the gradient of a loss|^2."""
    with tf.GradientTape() as outer:
        outer.watch(argument)
        with tf.GradientTape() as inner:
            inner.watch(argument)
            loss = bent(function())
        penalty = tf.reduce_sum(inner.gradient(loss, argument) ** 2)
    return outer.gradient(penalty, argument)


@pytest.mark.parametrize("graph", [False, True])
def test_refused_where_statistics_and_sigma_are_constants(rng, graph):
    x = tf.constant(rng.normal(size=(2, 4, 6, 3)), tf.float32)
    norm, layer = BatchNorm(3), SpectralConv2D(3, 5, 3)

    def run(function, argument):
        def both():
            return twice(function, argument)

        return (tf.function(both, autograph=False) if graph else both)()

    with pytest.raises(NotImplementedError, match="BatchNorm in training .*training=False"):
        run(lambda: norm(x, training=True), x)
    with pytest.raises(NotImplementedError, match="SpectralConv2D's gradient of the kernel"):
        run(lambda: layer(x), layer.kernel.value)
    # What it is refused for is what is allowed here, where the statistics are constants.
    assert np.abs(run(lambda: norm(x), x)).max() > 0.1
