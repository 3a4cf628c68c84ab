"""The fused update against PyTorch's formula in float64, on one device and on two."""

import keras
import numpy as np
import tensorflow as tf

from oasis_tf.training.adam import FusedAdam, build_adam

OPTIONS = dict(learning_rate=0.01, beta_2=0.9, epsilon=1e-3)


def run(start, gradients, **options):
    """The variable after each update: (steps, *shape)."""
    variable = keras.Variable(start)
    optimizer = FusedAdam(**{**OPTIONS, **options})
    optimizer.build([variable])
    course = []
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
        course.append(variable.numpy())
    return np.array(course)


def torch_adam(start, gradients, learning_rate, beta_2, epsilon):
    """The same by Algorithm 1 of Kingma and Ba, which is PyTorch's, for beta_1 = 0, in float64."""
    w, v, course = start.astype(float), 0.0, []
    for t, g in enumerate(gradients.astype(float), start=1):
        v = beta_2 * v + (1 - beta_2) * g**2
        w = w - learning_rate * g / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        course.append(w)
    return np.array(course)


def test_equals_the_formula_with_a_large_epsilon(rng):
    start = rng.normal(size=(2, 3)).astype(np.float32)
    gradients = rng.normal(size=(5, 2, 3)).astype(np.float32)
    expected = torch_adam(start, gradients, **OPTIONS)
    np.testing.assert_allclose(run(start, gradients), expected, atol=1e-6)


def test_equals_the_formula_for_gradients_of_all_sizes(rng):
    """The settings of training, 2,000 steps, gradients from 1e-10, far below epsilon, to 1e3."""
    sizes = 10.0 ** np.arange(-10, 4)
    gradients = (sizes * rng.normal(size=(2000, len(sizes)))).astype(np.float32)
    options = dict(learning_rate=1.0, beta_2=0.999, epsilon=1e-8)
    # From 0 by the step before: the sum of 2,000 steps would hide a wrong one, and round.
    expected = np.diff(torch_adam(np.zeros(len(sizes)), gradients, **options), axis=0, prepend=0)
    variable = keras.Variable(np.zeros(len(sizes), np.float32))
    optimizer = FusedAdam(**options)
    optimizer.build([variable])
    update = tf.function(lambda g: optimizer.apply([g], [variable]), autograph=False)
    for t, gradient in enumerate(gradients):
        variable.assign(tf.zeros_like(variable))
        update(tf.constant(gradient))
        # float32 knows 0.999 to 1.3e-8, which 2,000 powers of it carry to 2.6e-5 of 1 - 0.999^t.
        np.testing.assert_allclose(
            variable.numpy(), expected[t], rtol=5e-5, err_msg=f"step {t + 1}"
        )


def test_two_replicas_make_one_update_of_what_is_summed_already(rng, mirrored):
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
    (expected,) = run(start, [gradient])
    for replica in mirrored.experimental_local_results(variable.value):
        np.testing.assert_allclose(replica, expected, atol=1e-6)


def test_the_papers_adam_with_and_without_loss_scaling():
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3)])
    plain, scaled = (build_adam(0.5, model, scale_loss=scale) for scale in (False, True))
    assert isinstance(scaled, keras.optimizers.LossScaleOptimizer)
    for optimizer in (plain, scaled.inner_optimizer):
        assert isinstance(optimizer, FusedAdam) and optimizer.built
        assert (optimizer.beta_2, optimizer.epsilon) == (0.999, 1e-8)
        assert float(optimizer.learning_rate.numpy()) == 0.5


def test_second_moments_are_read_from_checkpoints_that_have_first_ones_too(tmp_path, rng):
    """Such as those of earlier versions, which were made by a subclass of Keras's Adam."""
    variables = [keras.Variable(rng.normal(size=(2, 3)).astype(np.float32)) for _ in range(2)]
    before = keras.optimizers.Adam(0.01, beta_1=0.0, beta_2=0.9)
    before.build(variables)
    for _ in range(3):
        before.apply([tf.constant(rng.normal(size=(2, 3)), tf.float32) for _ in variables])
    path = tf.train.Checkpoint(optimizer=before).save(str(tmp_path / "checkpoint"))
    now = FusedAdam(0.5, beta_2=0.9)
    now.build(variables)
    tf.train.Checkpoint(optimizer=now).restore(path).assert_existing_objects_matched()
    assert (now.iterations.numpy(), now.learning_rate.numpy()) == (3, np.float32(0.01))
    for kept, velocity in zip(before._velocities, now._velocities, strict=True):
        assert (velocity.numpy() > 0).all()
        np.testing.assert_array_equal(kept.numpy(), velocity.numpy())


def test_a_checkpoint_holds_one_number_a_weight_and_what_all_share(tmp_path):
    variable = keras.Variable(np.zeros((2, 3), np.float32))
    optimizer = FusedAdam(0.5)
    optimizer.build([variable])
    path = tf.train.Checkpoint(optimizer=optimizer).save(str(tmp_path / "checkpoint"))
    shapes = [shape for name, shape in tf.train.list_variables(path) if "optimizer" in name]
    # The weight itself, for the optimizer knows it; its second moment; steps and learning rate.
    assert sorted(shapes) == [[], [], [2, 3], [2, 3]]
