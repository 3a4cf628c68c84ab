"""LabelMix against NumPy."""

import numpy as np
import tensorflow as tf

from oasis_tf.losses.labelmix import labelmix_loss, labelmix_mask, mix


def test_every_class_takes_its_coin_in_each_image(rng):
    label_map = rng.integers(0, 4, (2, 4, 6))
    mask_bits = np.array([[True, False, True, False], [False, False, True, True]])
    mask = labelmix_mask(label_map, mask_bits).numpy()
    for b, y, x in np.ndindex(label_map.shape):
        assert mask[b, y, x, 0] == mask_bits[b, label_map[b, y, x]]


def test_loss_and_gradients_are_those_of_the_logits(rng):
    mixed, real, fake = (tf.constant(rng.normal(size=(2, 4, 6, 5)), tf.float32) for _ in range(3))
    kernel = tf.constant(rng.normal(size=(5, 7)), tf.float32)
    bias = tf.constant(rng.normal(size=7), tf.float32)
    mask = rng.random((2, 4, 6, 1)) < 0.5
    sources = [mixed, real, fake, kernel]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        loss = labelmix_loss(mixed, real, fake, mask, (kernel, bias))
    difference = mixed.numpy() - np.where(mask, real, fake)
    logits = [x.numpy() @ kernel.numpy() + bias.numpy() for x in (mixed, real, fake)]
    between = logits[0] - np.where(mask, logits[1], logits[2])
    np.testing.assert_allclose(loss, np.mean(between**2), rtol=1e-5)
    to_logits = 2 * between / between.size
    step = to_logits @ kernel.numpy().T
    to_kernel = np.tensordot(difference, to_logits, axes=[[0, 1, 2]] * 2)
    expected = (step, -step * mask, -step * ~mask, to_kernel)
    for actual, wanted in zip(tape.gradient(loss, sources), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-6 * np.abs(wanted).max())


def test_the_same_answer_on_the_mix_costs_nothing(rng):
    real, fake = (tf.constant(rng.normal(size=(1, 2, 3, 4)), tf.bfloat16) for _ in range(2))
    mask = rng.random((1, 2, 3, 1)) < 0.5
    head = (tf.ones((4, 3)), tf.ones(3))
    assert float(labelmix_loss(mix(mask, real, fake), real, fake, mask, head)) == 0


def test_mix_takes_real_where_true():
    real, fake = tf.ones((1, 1, 2, 3)), tf.zeros((1, 1, 2, 3))
    mixed = mix(np.array([[[[True], [False]]]]), real, fake)
    assert mixed.numpy()[0, 0, :, 0].tolist() == [1, 0]
