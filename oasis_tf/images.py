"""Images as bytes, files and labelled grids."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_pipeline.files import publish

TITLES = ("labels", "photograph", "generated", "averaged")
_MARGIN = 8
_CAPTION = 20
_SMALLEST = 128


def to_uint8(image):
    """Float images in [-1, 1] of any shape -> uint8 in [0, 255], rounded."""
    return np.clip(np.round((np.asarray(image) + 1) * 127.5), 0, 255).astype(np.uint8)


def save_png(path, image):
    """Writes a uint8 (H, W, 3) image, atomically."""
    temporary = f"{path}.tmp"
    Image.fromarray(image).save(temporary, format="PNG")
    publish(temporary, path)


def thumbnail(image, side=256):
    """Fits a uint8 (H, W, 3) image into a square.

    Returns:
        uint8 (h, w, 3), the larger side at most `side`; small images enlarged, pixels as they
        are, until the larger side has 128.
    """
    image = Image.fromarray(image)
    largest = max(image.size)
    if largest > side:
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
    elif largest < _SMALLEST:
        scale = -(-_SMALLEST // largest)
        image = image.resize((scale * image.width, scale * image.height), Image.Resampling.NEAREST)
    return np.asarray(image)


def contact_sheet(rows):
    """Lays captioned images of any sizes out.

    Args:
        rows: lists of (caption, uint8 (h, w, 3)), not empty.

    Returns:
        uint8 (height, width, 3); columns are as wide as the widest image or caption, rows as high
        as their highest image, and with room for captions where there is one.
    """
    font = ImageFont.load_default(size=12)
    cells = [cell for row in rows for cell in row]
    column = max(max(p.shape[1], int(font.getlength(text)) + 1) for text, p in cells) + _MARGIN
    captions = [_CAPTION * any(text for text, _ in row) for row in rows]
    heights = [max(image.shape[0] for _, image in row) + _MARGIN for row in rows]
    columns = max(len(row) for row in rows)
    size = (columns * column + _MARGIN, sum(captions) + sum(heights) + _MARGIN)
    canvas = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    top = _MARGIN
    for row, caption, height in zip(rows, captions, heights, strict=True):
        for i, (text, image) in enumerate(row):
            left = _MARGIN + i * column
            draw.text((left, top), text, fill=(40, 40, 40), font=font)
            canvas.paste(Image.fromarray(image), (left, top + caption))
        top += caption + height
    return np.asarray(canvas)


def titled_grid(columns, titles=TITLES, *, rows_per_column=4):
    """Lays images of one size out in columns under titles.

    Args:
        columns: one uint8 (n, H, W, 3) per title.
        titles: str each.
        rows_per_column: where there are more images than this, they go on to the right, under the
            same titles again.

    Returns:
        uint8 (height, width, 3); small images are enlarged, pixels as they are.
    """
    count = len(columns[0])
    height = min(count, rows_per_column)
    rows = []
    for row in range(height):
        numbers = range(row, count, height)
        # Captions above the first row only.
        names = titles if row == 0 else [""] * len(titles)
        rows.append(
            [
                (name, thumbnail(images[number]))
                for number in numbers
                for name, images in zip(names, columns, strict=True)
            ]
        )
    return contact_sheet(rows)
