"""Outputs of both networks against the authors' code."""

import numpy as np
import pytest

from oasis_tf.sampling.noise import Noise, within

ATOL = 5e-5  # on pictures in [-1, 1] and logits of order 1


@pytest.fixture
def released(case):
    return case.load()


def assert_close(actual, expected, atol=ATOL):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=0, atol=atol)


def test_generator_in_evaluation(case, released):
    a = case.arrays
    assert_close(released.generator(a["label"], a["z0"]), a["G_eval_z0"])
    assert_close(released.ema_generator(a["label"], a["z0"]), a["G_eval_z0"])


def test_generator_with_one_noise_vector_per_class(case, released):
    a = case.arrays
    image = released.generator(a["label"], a["z_per_class"], a["label"])
    assert_close(image, a["G_eval_z_per_class"])


def test_generator_with_the_noise_of_one_class_redrawn(case, released):
    a = case.arrays
    image = released.generator(a["label"], a["z_per_class_edited"], a["label"])
    assert_close(image, a["G_eval_z_edited"])


def test_an_edited_region_is_the_noise_of_one_class_redrawn(case, released):
    a = case.arrays
    noise, redrawn = (Noise(a[name], a["label"]) for name in ("z_per_class", "z_per_class_edited"))
    edited = within(noise, redrawn, a["label"] == a["edit_class"])
    assert_close(released.generator(a["label"], *edited), a["G_eval_z_edited"])


def test_discriminator_in_evaluation(case, released):
    assert_close(released.discriminator(case.arrays["image"]), case.arrays["D_eval_logits"])


def test_both_in_training(case, released):
    a = case.arrays
    assert_close(released.generator(a["label"], a["z0"], training=True), a["G_train_z0"])
    assert_close(released.discriminator(a["image"], training=True), a["D_train_logits"])
