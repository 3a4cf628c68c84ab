"""Reading one picture or one label map from disk, with errors that name the file."""

import contextlib
import re
import warnings

import numpy as np
from PIL import Image

from data_pipeline.datasets.orientation import possible_sizes, read_orientation, turned_back
from data_pipeline.errors import DataError
from data_pipeline.labels.label_rule import LabelRule, index_palette

# How Pillow spreads greys of few bits over 0..255: raw mode -> what each step is there.
_STEPS = {"L;2": 85, "L;4": 17}
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # a tag of TIFF, and its value
_WITH_PALETTE = (".png", ".tif", ".tiff", ".bmp", ".gif")


def open_rgb(file, name=None):
    """Reads a picture of any mode.

    Args:
        file: Path, or a binary file.
        name: what errors call it. Defaults to the path.

    Returns:
        PIL image, mode RGB, 8 bits, its pixels as they are stored; `info["orientation"]` is how
        they are to be turned, see `orientation.py`.

    Raises:
        DataError: the file is missing, truncated or no picture, or has other numbers than 8 or 16
            bits a channel.
    """
    path = name or file
    with _opened(file, path) as image:
        orientation = read_orientation(image)
        image.load()
        if image.format == "TIFF":  # the one format that Pillow turns itself
            image = turned_back(image, orientation)
    return _as_rgb(image, orientation, path)


def _as_rgb(image, orientation, path):
    if image.mode == "F":
        raise DataError(
            f"{path} must be a picture of 8 or 16 bits a channel. Received: one of floats"
        )
    if image.mode.startswith("I"):  # Pillow would clip 16 bits to 255, not scale them.
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() >= 2**16:
            raise DataError(
                f"{path} must be a picture of 8 or 16 bits a channel. "
                f"Received: levels of {levels.min()} to {levels.max()}"
            )
        image = Image.fromarray((levels >> 8).astype(np.uint8))
    try:
        image = image.convert("RGB")
    except ValueError as error:
        raise DataError(f"{path} must be a picture in colours. Received: {error}") from None
    image.info["orientation"] = orientation
    return image


def open_mask(path):
    """Reads a mask as the PIL image it is.

    Raises:
        DataError: the file is missing, truncated or no picture, or of a format that changes pixels.
    """
    with _opened(path, path) as image:
        if lossy := _lossy(image):
            raise DataError(
                f"{path}: a mask must be a picture without loss, such as PNG, for {lossy} marks "
                f"pixels around its edges too. Received: a picture in {lossy}"
            )
        image.load()
        return image


def open_label(path):
    """Reads a label map as the PIL image it is: ids (greyscale, palette) or colours (RGB).

    Greys of any depth are the samples as they are stored.

    Raises:
        DataError: the file is missing, truncated or no picture, of a format that changes ids, of
            several pictures, or of 16-bit greys with opacity, which Pillow cuts to 8.
    """
    with _opened(path, path) as image:
        lossy = _lossy(image)
        if lossy:
            raise DataError(
                f"{path}: a label map must be a PNG or TIFF file, which keep every id; {lossy} "
                f"changes ids near every edge, so export it again. Received: a picture in {lossy}"
            )
        if getattr(image, "n_frames", 1) > 1:
            raise DataError(
                f"{path}: a label map must be one picture. Received: {image.n_frames} in one file"
            )
        if image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            raise DataError(
                f"{path}: in a label map of greys the lowest must be black, or ids would be read "
                "backwards. Received: a TIFF file in which 0 is white"
            )
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
    with _opened(path, path) as image:
        return index_palette(image)


def check_same_size(image, image_path, label_size, label_path):
    """Raises DataError naming both files unless `image` has `label_size` (height, width).

    A picture that may still be turned upright may have either of its two sizes.
    """
    size = (image.height, image.width)
    if tuple(label_size) not in possible_sizes(image):
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


def _lossy(image):
    """The compression that changes pixels, or None."""
    compression = str(image.info.get("compression", "")) if image.format == "TIFF" else ""
    if image.format in ("JPEG", "MPO", "JPEG2000") or "jpeg" in compression:
        return "JPEG"
    return "WebP" if image.format == "WEBP" or compression == "webp" else None


def _raw_mode(image):
    """How the pixels are stored, in Pillow's words; to be asked before they are read."""
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


@contextlib.contextmanager
def _opened(file, path):
    """A picture whose pixels are read when they are wanted; what goes wrong is a DataError."""
    try:
        with warnings.catch_warnings():
            # At half of the limit Pillow warns already.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(file)
        with image:
            yield image
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        received = re.search(r"\d+", str(error))
        raise DataError(
            f"{path} must have at most {2 * Image.MAX_IMAGE_PIXELS:,} pixels; large pictures are "
            "cut into tiles first, with their label maps, for a record is no larger than "
            f"--image_size. Received: {received[0] if received else error} pixels"
        ) from None
    # Pillow's decoders raise almost anything on a damaged file (OSError, SyntaxError, ValueError,
    # struct.error); to the user it is one thing.
    except Exception as error:
        raise DataError(f"{path} must be a complete, readable picture. Received: {error}") from None
