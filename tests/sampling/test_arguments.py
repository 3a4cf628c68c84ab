"""What is taken, as what, and what is refused, by the library and by the client alike."""

import numpy as np
import pytest

from data_pipeline.errors import DataError
from oasis_tf.sampling.arguments import is_whole, to_label_map, to_mask, to_seed_map

MAP = np.array([[0, 1, 2], [2, 1, 0]])
KINDS = (np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64)


@pytest.mark.parametrize("value", [0, 7, np.int64(7), np.uint8(7), np.array(7)])
def test_whole_numbers(value):
    assert is_whole(value)


@pytest.mark.parametrize(
    "value", [1.0, np.float32(1), True, np.True_, "1", None, [1], np.array([1]), float("nan")]
)
def test_others(value):
    assert not is_whole(value)


@pytest.mark.parametrize("kind", [*KINDS, list])
def test_label_maps(kind):
    taken = to_label_map(MAP.tolist() if kind is list else MAP.astype(kind), 3)
    assert taken.dtype == np.int32
    np.testing.assert_array_equal(taken, MAP)


@pytest.mark.parametrize(
    "label_map, message",
    [
        (MAP.astype(float), "filled int array .* Received: float64"),
        (MAP > 0, "Received: bool"),
        (np.full((2, 3), np.nan), "Received: float64"),
        (MAP.astype(str), "filled int array"),
        (MAP[None], r"of shape \(1, 2, 3\)"),
        (MAP[:0], "filled"),
        ([[1, 2], [1]], "rows of one length"),
        (MAP + 1, "id 3: 2 pixels"),
        (MAP - 1, "id -1: 2 pixels"),
        (np.full((2, 3), 2**63, np.uint64), "id 9223372036854775808"),
    ],
)
def test_bad_label_maps(label_map, message):
    with pytest.raises(DataError, match=message):
        to_label_map(label_map, 3)


@pytest.mark.parametrize("kind", [bool, float, np.float16, *KINDS, list])
def test_masks(kind):
    mask = MAP.tolist() if kind is list else MAP.astype(kind)
    np.testing.assert_array_equal(to_mask(mask, (2, 3)), MAP > 0)


@pytest.mark.parametrize(
    "mask, message",
    [
        (np.where(MAP > 0, 1.0, np.nan), "finite numbers. Received: NaN"),
        (np.where(MAP > 0, np.inf, 0), "finite numbers"),
        (MAP.astype(complex), "bools or numbers. Received: complex128"),
        (MAP.astype(str), "bools or numbers"),
        (MAP.astype(object), "bools or numbers"),
        (MAP[:1], "the size of the label map, 2x3. Received: 1x3"),
        (MAP[..., None], "Received: 2x3x1"),
        (MAP * 0, "must mark one pixel"),
    ],
)
def test_bad_masks(mask, message):
    with pytest.raises(DataError, match=message):
        to_mask(mask, (2, 3))


def test_seed_maps():
    seeds = MAP.astype(np.int64) * 30_000
    np.testing.assert_array_equal(to_seed_map(seeds, (2, 3)), seeds)
    for bad, message in (
        (seeds * 2, "in 0..65535. Received: 0 to 120000"),
        (seeds - 1, "Received: -1 to"),
        (seeds / 2, "Received: float64"),
        (seeds > 0, "Received: bool"),
        (seeds[:1], r"2x3. Received: int64 of shape \(1, 3\)"),
    ):
        with pytest.raises(DataError, match=message):
            to_seed_map(bad, (2, 3))
