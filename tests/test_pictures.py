"""The picture grid."""

import numpy as np
import pytest
from PIL import Image

from oasis_tf.pictures import picture_grid, save_png, to_uint8


def test_to_uint8_by_hand():
    values = [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert to_uint8(values).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("count, groups", [(3, 1), (5, 2), (8, 2)])
def test_every_picture_is_in_the_grid_once(count, groups):
    # A picture of one colour each, so that they can be counted.
    columns = [
        np.broadcast_to(
            np.array([[10 * i + 5, 100 + c, 200] for i in range(count)], np.uint8)[:, None, None],
            (count, 64, 128, 3),
        )
        for c in range(2)
    ]
    grid = picture_grid(columns, ("a", "b"))
    for column in columns:
        for picture in column:
            assert np.all(grid == picture[0, 0], axis=-1).sum() == 64 * 128
    assert grid.shape[1] >= groups * 2 * 128


def test_small_pictures_are_enlarged():
    grid = picture_grid([np.full((1, 32, 64, 3), 9, np.uint8)], ("a",))
    assert np.all(grid == 9, axis=-1).sum() == 64 * 128


def test_save_png_leaves_one_whole_file(tmp_path):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    save_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
