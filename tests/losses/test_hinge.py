"""The hinge losses, by numbers worked out by hand."""

import tensorflow as tf

from oasis_tf.losses.hinge import hinge_fake_loss, hinge_generator_loss, hinge_real_loss

ANSWERS = tf.constant([[[-3.0], [0.0]], [[0.5], [2.0]]])


def test_values():
    # max(0, 1 - a): 4, 1, 0.5, 0.
    assert float(hinge_real_loss(ANSWERS)) == 5.5 / 4
    # max(0, 1 + a): 0, 1, 1.5, 3.
    assert float(hinge_fake_loss(ANSWERS)) == 5.5 / 4
    assert float(hinge_generator_loss(ANSWERS)) == 0.5 / 4
