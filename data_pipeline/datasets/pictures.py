"""Reading one picture or one label map from disk, with errors that name the file."""

import contextlib

import numpy as np
from PIL import Image

from data_pipeline.errors import DataError
from data_pipeline.labels.label_rule import LabelRule, index_palette

# How Pillow spreads greys of few bits over 0..255: raw mode -> what each step is there.
_STEPS = {"L;2": 85, "L;4": 17}
_WITH_PALETTE = (".png", ".tif", ".tiff", ".bmp", ".gif")


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

    Greys of any depth are the samples as they are stored.

    Raises:
        DataError: the file is missing, truncated or no picture, or of 16-bit greys with opacity,
            which Pillow cuts to 8.
    """
    with _opened(path) as image:
        raw_mode = _raw_mode(image)
        image.load()
    if raw_mode == "LA;16B":
        raise DataError(
            f"{path}: greys of 16 bits must be saved without opacity. Received: a picture with it"
        )
    step = _STEPS.get(raw_mode[:3])
    return image.point(lambda level: level // step) if step else image


def label_ids(image, path, rule=None):
    """Takes the ids of a label map.

    Args:
        image: PIL image from `open_label`.
        path: its file, for the error.
        rule: `LabelRule`. Defaults to that of a data set without colours.

    Returns:
        int32 (H, W), the ids as in the data set's files.

    Raises:
        DataError: the picture holds no ids.
    """
    return (rule or LabelRule(indices=True)).ids(image, path)


def label_palette(path):
    """The `IndexPalette` of a label file, or None where it has none that matters.

    Raises:
        DataError: the file is truncated.
    """
    if path.suffix.lower() not in _WITH_PALETTE:
        return None
    with _opened(path) as image:
        return index_palette(image)


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
    with _opened(path) as image:
        image.load()
        return image


def _raw_mode(image):
    """How the pixels are stored, in Pillow's words; to be asked before they are read."""
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


@contextlib.contextmanager
def _opened(path):
    """A picture whose pixels are read when they are wanted; what goes wrong is a DataError."""
    try:
        with Image.open(path) as image:
            yield image
    # Pillow's decoders raise almost anything on a damaged file (OSError, SyntaxError, ValueError,
    # struct.error, DecompressionBombError); to the user it is one thing.
    except Exception as error:
        raise DataError(f"{path} must be a complete, readable picture. Received: {error}") from None
