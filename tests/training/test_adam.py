"""The fused update against Keras' own and against the formula, on one device and on two."""

import keras
import numpy as np
import tensorflow as tf

from oasis_tf.training.adam import FusedAdam, build_adam

OPTIONS = dict(learning_rate=0.01, beta_1=0.3, beta_2=0.9, epsilon=1e-3)


def run(kind, start, gradients):
    variable = keras.Variable(start)
    optimizer = kind(**OPTIONS)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    return variable.numpy()


def test_equals_keras_and_the_formula(rng):
    start = rng.normal(size=(2, 3)).astype(np.float32)
    gradients = rng.normal(size=(5, 2, 3)).astype(np.float32)
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m = 0.3 * m + 0.7 * g
        v = 0.9 * v + 0.1 * g**2
        w = w - 0.01 * np.sqrt(1 - 0.9**t) / (1 - 0.3**t) * m / (np.sqrt(v) + 1e-3)
    fused = run(FusedAdam, start, gradients)
    np.testing.assert_allclose(fused, w, atol=1e-6)
    np.testing.assert_allclose(fused, run(keras.optimizers.Adam, start, gradients), atol=1e-6)


def test_two_replicas_sum_their_gradients(rng, mirrored):
    start = rng.normal(size=(2, 3)).astype(np.float32)
    gradient = rng.normal(size=(2, 3)).astype(np.float32)
    with mirrored.scope():
        variable = keras.Variable(start)
        optimizer = FusedAdam(**OPTIONS)
        optimizer.build([variable])

    @tf.function
    def step():
        mirrored.run(lambda: optimizer.apply([tf.constant(gradient)], [variable]))

    step()
    expected = run(FusedAdam, start, [2 * gradient])
    for replica in mirrored.experimental_local_results(variable.value):
        np.testing.assert_allclose(replica, expected, atol=1e-6)


def test_the_papers_adam_with_and_without_loss_scaling():
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3)])
    plain, scaled = (build_adam(0.5, model, scale_loss=scale) for scale in (False, True))
    assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
    for optimizer in (plain, scaled.inner_optimizer):
        assert isinstance(optimizer, FusedAdam) and optimizer.built
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.0, 0.999, 1e-8)
        assert float(optimizer.learning_rate.numpy()) == 0.5
