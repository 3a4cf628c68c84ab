"""Segments against a flood fill, and their order."""

import numpy as np

from oasis_tf.sampling.segments import find_segments


def flood(label_map):
    """The plain way: fill from each pixel in reading order that is not filled yet."""
    height, width = label_map.shape
    result, count = np.full(label_map.shape, -1), 0
    for start in np.ndindex(label_map.shape):
        if result[start] >= 0:
            continue
        todo = [start]
        while todo:
            y, x = todo.pop()
            inside = 0 <= y < height and 0 <= x < width
            if inside and result[y, x] < 0 and label_map[y, x] == label_map[start]:
                result[y, x] = count
                todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
        count += 1
    return result


def test_against_a_flood_fill(rng):
    label_map = rng.choice([0, 2, 7], (13, 29), p=[0.6, 0.3, 0.1])
    found, expected = find_segments(label_map), flood(label_map)
    pairs = {*zip(found.segment_map.ravel(), expected.ravel(), strict=True)}
    assert len(pairs) == len(found.classes) == expected.max() + 1  # one to one
    np.testing.assert_array_equal(found.classes[found.segment_map], label_map)
    for label in (0, 2, 7):
        numbers = found.numbers[found.classes == label]
        assert numbers.tolist() == list(range(1, len(numbers) + 1))
        # Reading order: the flood fill counts in it.
        own = [e for f, e in sorted(pairs) if found.classes[f] == label]
        assert own == sorted(own)
