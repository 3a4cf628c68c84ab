"""Pictures of several sizes on one sheet."""

import numpy as np

from oasis_tf.contact_sheet import contact_sheet, thumbnail


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
