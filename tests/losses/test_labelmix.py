"""LabelMix against NumPy."""

import numpy as np
import tensorflow as tf

from oasis_tf.losses.labelmix import labelmix_loss, labelmix_mask, mix


def test_every_class_takes_its_coin_in_each_image(rng):
    label_map = rng.integers(0, 4, (2, 4, 6))
    coins = np.array([[True, False, True, False], [False, False, True, True]])
    mask = labelmix_mask(label_map, coins).numpy()
    for b, y, x in np.ndindex(label_map.shape):
        assert mask[b, y, x, 0] == coins[b, label_map[b, y, x]]


def test_loss_and_gradients(rng):
    mixed, real, fake = (tf.constant(rng.normal(size=(2, 4, 6, 3)), tf.float32) for _ in range(3))
    mask = rng.random((2, 4, 6, 1)) < 0.5
    with tf.GradientTape() as tape:
        tape.watch([mixed, real, fake])
        loss = labelmix_loss(mixed, real, fake, mask)
    difference = mixed.numpy() - np.where(mask, real, fake)
    np.testing.assert_allclose(loss, np.mean(difference**2), rtol=1e-5)
    step = 2 * difference / difference.size
    expected = (step, -step * mask, -step * ~mask)
    for actual, wanted in zip(tape.gradient(loss, [mixed, real, fake]), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-7)


def test_mix_takes_real_where_true():
    real, fake = tf.ones((1, 1, 2, 3)), tf.zeros((1, 1, 2, 3))
    mixed = mix(np.array([[[[True], [False]]]]), real, fake)
    assert mixed.numpy()[0, 0, :, 0].tolist() == [1, 0]
