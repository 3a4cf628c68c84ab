"""Rows of captioned pictures of any sizes on one sheet."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_MARGIN = 8
_CAPTION = 20
_SMALLEST = 128


def thumbnail(picture, side=256):
    """Fits a uint8 (H, W, 3) picture into a square.

    Returns:
        uint8 (h, w, 3), the larger side at most `side`; small pictures enlarged, pixels as they
        are, until the larger side has 128.
    """
    image = Image.fromarray(picture)
    largest = max(image.size)
    if largest > side:
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
    elif largest < _SMALLEST:
        scale = -(-_SMALLEST // largest)
        image = image.resize((scale * image.width, scale * image.height), Image.Resampling.NEAREST)
    return np.asarray(image)


def contact_sheet(rows):
    """Lays pictures out.

    Args:
        rows: lists of (caption, uint8 (h, w, 3)), not empty.

    Returns:
        uint8 (height, width, 3); columns are as wide as the widest picture or caption, rows as
        high as their highest picture.
    """
    font = ImageFont.load_default(size=12)
    cells = [cell for row in rows for cell in row]
    column = max(max(p.shape[1], int(font.getlength(text)) + 1) for text, p in cells) + _MARGIN
    heights = [max(picture.shape[0] for _, picture in row) + _CAPTION + _MARGIN for row in rows]
    columns = max(len(row) for row in rows)
    size = (columns * column + _MARGIN, sum(heights) + _MARGIN)
    canvas = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(canvas)
    top = _MARGIN
    for row, height in zip(rows, heights, strict=True):
        for i, (text, picture) in enumerate(row):
            left = _MARGIN + i * column
            draw.text((left, top), text, fill=(40, 40, 40), font=font)
            canvas.paste(Image.fromarray(picture), (left, top + _CAPTION))
        top += height
    return np.asarray(canvas)
