"""Whether the score that is kept compares with the next one."""

import pytest

from oasis_tf.training.chosen_by import ChosenBy


@pytest.mark.parametrize(
    "saved, changed",
    [
        ("null", False),  # nothing was chosen yet
        ('"metrics/miou"', False),  # an earlier version, which did not keep whose number it was
        ('["metrics/miou", "a1"]', False),
        ('["metrics/miou", "b2"]', True),
        ('["score/miou", null]', True),
        ('"score/miou"', True),
    ],
)
def test_change(saved, changed):
    chosen_by = ChosenBy()
    chosen_by.deserialize(saved)
    assert chosen_by.change("metrics/miou", "a1") is changed
    other = ChosenBy()
    other.deserialize(chosen_by.serialize())
    assert (other.name, other.network) == ("metrics/miou", "a1")
