"""The segmenter's network learns, and unlabelled pixels teach it nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.segmenters.network import (
    build_segmentation_network,
    train_segmentation_network,
)


def batches(rng, label_of_dark=0):
    while True:
        labels = rng.choice([1, 2, label_of_dark], (2, 2, 4)).repeat(16, 1).repeat(16, 2)
        image = np.where(labels[..., None] == 1, [1, 0, 0], [0, 0, 1]).astype(np.float32)
        yield {"image": tf.constant(image), "label_map": tf.constant(labels, tf.int32)}


def test_it_learns(rng):
    keras.utils.set_random_seed(0)
    model = build_segmentation_network(2, 2)
    loss = train_segmentation_network(model, batches(rng, 2), 60, 0.02)
    assert loss < 0.2
    batch = next(batches(rng, 2))
    answer = np.argmax(model(batch["image"]), axis=-1) + 1
    assert (answer == batch["label_map"].numpy()).mean() > 0.9


def test_nothing_labelled(eager):
    model = build_segmentation_network(2, 1)
    before = [v.numpy() for v in model.trainable_variables]
    empty = {"image": tf.ones((1, 16, 32, 3)), "label_map": tf.zeros((1, 16, 32), tf.int32)}
    assert train_segmentation_network(model, [empty] * 2, 2) == 0
    for variable, value in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_loss_that_is_not_finite(eager):
    broken = {
        "image": tf.fill((1, 16, 32, 3), np.nan),
        "label_map": tf.ones((1, 16, 32), tf.int32),
    }
    with pytest.raises(ArithmeticError, match="nan at step 1"):
        train_segmentation_network(build_segmentation_network(2, 1), [broken], 1)
