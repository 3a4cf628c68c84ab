"""EXIF orientation: cameras store pixels on their side, and say in a tag how to turn them.

Labelling tools differ: most show the turned picture, so that its label map fits that; some label
the pixels as they are stored.
"""

from PIL import Image

_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BACK = {6: 8, 8: 6}  # all others undo themselves
# What `upright` may have done.
FITS, BY_TAG, STORED = "fits", "by tag", "stored"


def read_orientation(image):
    """The tag of a picture that has not been decoded yet: 1 (as stored) to 8."""
    try:
        orientation = image.getexif().get(_TAG, 1)
    except Exception:  # as in pictures.py: Pillow raises almost anything on damaged data
        return 1
    return orientation if orientation in _TURNS else 1


def turned(image, orientation):
    """Turns a PIL image as the tag says."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def turned_back(image, orientation):
    """Undoes `turned`."""
    return turned(image, _BACK.get(orientation, orientation))


def upright_size(image):
    """(height, width) of a picture of `open_rgb` once it is turned as its tag says."""
    size = (image.height, image.width)
    return size[::-1] if image.info.get("orientation", 1) >= 5 else size


def possible_sizes(image):
    """The sizes (height, width) that label maps of a picture of `open_rgb` may have."""
    return {(image.height, image.width), upright_size(image)}


def upright(image, label_size, *, follow=True):
    """Turns a picture where its label map was drawn on the turned one.

    The size decides. Where both sizes are the same (a square, or a turn by 180 degrees), the tag
    is followed.

    Args:
        image: PIL image of `open_rgb`, pixels as stored.
        label_size: (height, width) of its label map.
        follow: False leaves all pictures as they are stored.

    Returns:
        (PIL image, what was done): FITS turned it because only so it fits, BY_TAG turned it because
        the tag says so, STORED left it although it has a tag; None for a picture without tag, or
        one that does not fit at all.
    """
    orientation = image.info.get("orientation", 1)
    if orientation == 1:
        return image, None
    size = (image.height, image.width)
    if follow and upright_size(image) == tuple(label_size):
        return turned(image, orientation), FITS if size != upright_size(image) else BY_TAG
    return image, STORED if size == tuple(label_size) else None
