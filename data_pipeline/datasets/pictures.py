"""Reading one picture or one label map from disk, with errors that name the file."""

import numpy as np
from PIL import Image

from data_pipeline.errors import DataError

# "P" holds palette indices; "I;16" variants are 16-bit greyscale.
_ID_MODES = ("1", "L", "P", "I", "I;16", "I;16L", "I;16B")


def open_rgb(path):
    """Reads a picture of any mode.

    Returns:
        PIL image, mode RGB, 8 bits.

    Raises:
        DataError: the file is missing, truncated or no picture.
    """
    image = _decode(path)
    if image.mode.startswith("I"):  # Pillow would clip 16 bits to 255, not scale them.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError as error:
        raise DataError(f"{path} must be a picture in colours. Received: {error}") from None


def open_label(path):
    """Reads a label map as the PIL image it is: ids (greyscale, palette) or colours (RGB).

    Raises:
        DataError: the file is missing, truncated or no picture.
    """
    return _decode(path)


def label_ids(image, path):
    """Takes the ids of a greyscale or palette label map.

    Args:
        image: PIL image from `open_label`.
        path: its file, for the error.

    Returns:
        int32 (H, W), the ids as stored.

    Raises:
        DataError: the picture is RGB or another mode that holds no ids.
    """
    if image.mode not in _ID_MODES:
        raise DataError(
            f"{path}: a label map must be a greyscale PNG (8 or 16 bits) or a palette PNG whose "
            f"values are class ids. Received: a picture of mode {image.mode}"
        )
    return np.asarray(image).astype(np.int32)  # (H, W)


def check_same_size(image, image_path, label_size, label_path):
    """Raises DataError naming both files unless `image` has `label_size` (height, width)."""
    size = (image.height, image.width)
    if size != tuple(label_size):
        raise DataError(
            "a picture and its label map must have the same size (height x width). Received: "
            f"{size[0]}x{size[1]} in {image_path} and {label_size[0]}x{label_size[1]} in "
            f"{label_path}"
        )


def load_ids(item):
    """Loads an item whose label map holds ids; the ids are as stored.

    Returns:
        PIL picture in RGB, int32 (H, W).
    """
    image = open_rgb(item.image)
    ids = label_ids(open_label(item.label), item.label)
    check_same_size(image, item.image, ids.shape, item.label)
    return image, ids


def _decode(path):
    try:
        with Image.open(path) as image:
            image.load()
            return image
    # Pillow's decoders raise almost anything on a damaged file (OSError, SyntaxError, ValueError,
    # struct.error, DecompressionBombError); to the user it is one thing.
    except Exception as error:
        raise DataError(f"{path} must be a complete, readable picture. Received: {error}") from None
