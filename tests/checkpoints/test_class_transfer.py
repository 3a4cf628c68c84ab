"""Weights of a model of other classes, against arrays copied by hand."""

import numpy as np
import pytest

from oasis_tf.checkpoints.class_transfer import take_classes
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import Generator
from oasis_tf.models.real_fake_discriminator import RealFakeDiscriminator

NOISE = 3
# (class here, class there): 0 is unlabelled; 2 here is new, 1 and 4 there are nowhere here.
PAIRS = [(0, 0), (1, 3), (3, 2)]
GENERATOR = dict(base_channels=1, noise_channels=NOISE, hidden=4)


@pytest.mark.parametrize(
    "build, first",
    [
        # How many entries of the class axis come before class 0: the noise, and "fake".
        (lambda classes: Generator(classes, **GENERATOR), NOISE),
        (lambda classes: Discriminator(classes, base_channels=1), 1),
        (lambda classes: RealFakeDiscriminator(classes, base_channels=1), 0),
    ],
    ids=["generator", "discriminator", "real_fake"],
)
def test_rows_of_the_classes_that_both_have(build, first, rng):
    here, there = build(4), build(5)
    for network in (here, there):
        for variable in network.variables:
            variable.assign(rng.normal(size=variable.shape).astype(np.float32))
    before = [variable.numpy() for variable in here.variables]
    take_classes(here, there, PAIRS)
    with_classes = 0
    for old, variable, source in zip(before, here.variables, there.variables, strict=True):
        new, source = variable.numpy(), source.numpy()
        if old.shape == source.shape:
            np.testing.assert_array_equal(new, source, err_msg=variable.path)
            continue
        with_classes += 1
        (axis,) = (i for i in range(old.ndim) if old.shape[i] != source.shape[i])
        expected = old.copy()
        for entry in range(first):
            _set(expected, axis, entry, source, entry)
        for ours, theirs in PAIRS:
            _set(expected, axis, first + ours, source, first + theirs)
        np.testing.assert_array_equal(new, expected, err_msg=variable.path)
    # The first convolution, two SPADEs in each of six blocks and one in each of the four
    # shortcuts; kernel and bias of the discriminator's last; the other one's look-up.
    expected = {Generator: 1 + 12 + 4, Discriminator: 2, RealFakeDiscriminator: 1}
    assert with_classes == expected[type(here)]


def _set(array, axis, entry, source, from_entry):
    place, from_place = ([slice(None)] * array.ndim for _ in range(2))
    place[axis], from_place[axis] = entry, from_entry
    array[tuple(place)] = source[tuple(from_place)]
