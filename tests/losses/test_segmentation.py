"""Losses against NumPy, with the cases that break careless code."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.losses.segmentation import (
    class_counts,
    class_weights,
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_adversarial_loss,
    labelled_weights,
)

B, H, W, N = 2, 4, 6, 5


def log_softmax(logits):
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def test_class_weights_by_hand():
    # 8 pixels: four of class 0, three of class 1, one of class 3. Two classes count.
    label_map = np.array([[[0, 0, 1, 1], [0, 0, 1, 3]]])
    weights = class_weights(label_map, 5).numpy()
    np.testing.assert_allclose(weights, [0, 8 / (3 * 2), 0, 8 / (1 * 2), 0], rtol=1e-6)


def test_weights_without_balance_by_hand():
    # The same eight pixels, four of them labelled; the sum over them is 8 either way.
    label_map = np.array([[[0, 0, 1, 1], [0, 0, 1, 3]]])
    assert labelled_weights(label_map, 5).numpy().tolist() == [0, 2, 2, 2, 2]
    assert labelled_weights(np.zeros((1, 2, 4), int), 5).numpy().tolist() == [0] * 5


@pytest.mark.parametrize("shape", [(2, 3, 5), (0,)])
def test_class_counts(rng, shape):
    label_map = rng.integers(0, 4, shape)
    expected = np.bincount(label_map.reshape(-1), minlength=6)
    np.testing.assert_array_equal(class_counts(tf.constant(label_map), 6), expected)


def test_class_weights_over_all_replicas(mirrored):
    # Replica 0 has class 1 eight times, replica 1 has it twice and class 2 six times: of 16 pixels
    # ten and six, two classes.
    label_maps = np.array([[[1, 1, 1, 1], [1, 1, 1, 1]], [[1, 1, 2, 2], [2, 2, 2, 2]]])

    def weights():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        mine = tf.gather(tf.constant(label_maps), index)[None]
        return class_weights(mine, 4, all_replicas=True)

    for found in mirrored.experimental_local_results(mirrored.run(tf.function(weights))):
        np.testing.assert_allclose(found, [0, 16 / (10 * 2), 16 / (6 * 2), 0], rtol=1e-6)


def test_weighted_pixels_sum_to_the_number_of_pixels(rng):
    label_map = rng.integers(0, N, (B, H, W))
    weights = class_weights(label_map, N).numpy()
    # Each present class gets an equal share of all B * H * W pixels.
    np.testing.assert_allclose(weights[label_map].sum(), B * H * W, rtol=1e-5)


def random_head(rng, channels):
    return (
        tf.constant(rng.normal(size=(channels, N + 1)), tf.float32),
        tf.constant(rng.normal(size=N + 1), tf.float32),
    )


def logits_of(features, head):
    return features @ head[0].numpy() + head[1].numpy()


def test_real_loss_against_numpy(rng):
    features = rng.normal(size=(B, H, W, 3)).astype(np.float32)
    head = random_head(rng, 3)
    label_map = rng.integers(0, N, (B, H, W))
    scores = log_softmax(logits_of(features, head))
    nll = -np.take_along_axis(scores, label_map[..., None] + 1, -1)[..., 0]
    weights = rng.uniform(0, 2, N).astype(np.float32)
    expected = np.mean(nll * weights[label_map])
    for loss in (discriminator_real_loss, generator_adversarial_loss):
        np.testing.assert_allclose(loss(features, head, label_map, weights), expected, rtol=1e-5)


def test_fake_loss_against_numpy(rng):
    features = rng.normal(size=(B, H, W, 3)).astype(np.float32)
    head = random_head(rng, 3)
    expected = -log_softmax(logits_of(features, head))[..., 0].mean()
    np.testing.assert_allclose(discriminator_fake_loss(features, head), expected, rtol=1e-5)


def test_without_a_labelled_pixel_loss_and_gradients_are_zero(rng):
    features = tf.constant(rng.normal(size=(B, H, W, 3)), tf.float32)
    head = random_head(rng, 3)
    label_map = np.zeros((B, H, W), int)
    weights = class_weights(label_map, N)
    with tf.GradientTape() as tape:
        tape.watch([features, *head])
        loss = discriminator_real_loss(features, head, label_map, weights)
    assert float(loss) == 0
    for gradient in tape.gradient(loss, [features, *head]):
        np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))


def test_extreme_logits_stay_finite():
    features = tf.constant([[[[1e4, -1e4, 0.0]]]])
    head = (tf.eye(3), tf.zeros(3))
    assert np.isfinite(discriminator_fake_loss(features, head))
    labels = np.ones((1, 1, 1), int)
    assert np.isfinite(discriminator_real_loss(features, head, labels, class_weights(labels, 2)))
