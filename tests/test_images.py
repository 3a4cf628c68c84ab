"""Bytes, files and grids of images."""

import numpy as np
import pytest
from PIL import Image

from oasis_tf.images import contact_sheet, save_png, thumbnail, titled_grid, to_uint8


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
    grid = titled_grid(columns, ("a", "b"))
    for column in columns:
        for picture in column:
            assert np.all(grid == picture[0, 0], axis=-1).sum() == 64 * 128
    assert grid.shape[1] >= groups * 2 * 128


def test_small_pictures_are_enlarged():
    grid = titled_grid([np.full((1, 32, 64, 3), 9, np.uint8)], ("a",))
    assert np.all(grid == 9, axis=-1).sum() == 64 * 128


def test_save_png_leaves_one_whole_file(tmp_path):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    save_png(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_thumbnails():
    assert thumbnail(np.zeros((100, 1000, 3), np.uint8)).shape == (26, 256, 3)
    assert thumbnail(np.zeros((200, 130, 3), np.uint8)).shape == (200, 130, 3)
    small = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(thumbnail(small), small.repeat(43, 0).repeat(43, 1))


def test_every_picture_is_on_the_sheet():
    sizes = [[(30, 40), (20, 60)], [(10, 10)]]
    rows = [
        [(f"{i}{j}", np.full((*size, 3), 100 + 10 * i + j, np.uint8)) for j, size in enumerate(row)]
        for i, row in enumerate(sizes)
    ]
    sheet = contact_sheet(rows)
    for i, row in enumerate(sizes):
        for j, (height, width) in enumerate(row):
            place = (sheet == 100 + 10 * i + j).all(axis=-1)
            assert place.sum() >= height * width
            assert place.any(axis=1).sum() >= height and place.any(axis=0).sum() >= width
