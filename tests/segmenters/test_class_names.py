"""Names of one class as different people write them."""

import pytest

from oasis_tf.segmenters.class_names import match_names

OURS = ("wall", "traffic light", "screen", "screen door", "door", "Other", "other")


@pytest.mark.parametrize(
    "name, index",
    [
        ("wall", 0),
        ("Wall", 0),
        ("traffic_light", 1),
        ("Traffic-Light ", 1),
        ("TRAFFIC  LIGHT", 1),
        ("wall, walls", 0),
        ("walls, wall", 0),
        ("Wall;brick", 0),
        ("screen, silver screen, projection screen", 2),
        # Two classes by all of its names, one by the first.
        ("screen door, screen", 3),
        ("door, double door", 4),
        # Letter by letter before anything else.
        ("Other", 5),
        ("other", 6),
        ("OTHER", None),
        ("double door, screen, door", None),
        ("doors", None),
        ("", None),
        (None, None),
    ],
)
def test_a_name(name, index):
    assert match_names([name], OURS) == [index]


def test_better_matches_go_first():
    theirs = ["gate, door", "door", "doorway, wall", "entrance, wall"]
    # "door" is taken; "wall" could be two of theirs.
    assert match_names(theirs, OURS) == [None, 4, None, None]


def test_several_channels_of_one_class():
    assert match_names(["Wall", "wall, brick", "wall"], OURS) == [None, None, 0]
    assert match_names(["wall", "wall"], OURS) == [0, 0]
    assert match_names(["Wall", "WALL"], OURS) == [0, 0]
