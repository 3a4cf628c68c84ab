import io

import numpy as np
import pytest
from PIL import Image

from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.picture_limit import check_pictures


def png(width, height):
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def strings(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return {"x": array}


def test_counts_all_pictures_of_an_input():
    check_pictures(strings(png(30, 10), png(20, 10)), 500)
    with pytest.raises(ApiError, match="'x'.*500") as caught:
        check_pictures(strings(png(30, 10), png(21, 10)), 500)
    assert caught.value.status == 400


def test_other_content_is_none_of_its_business():
    check_pictures(strings(b"", b"\x89PNG\r\n\x1a\n", b"text"), 1)
    check_pictures({"x": np.zeros((1000, 1000))}, 1)
