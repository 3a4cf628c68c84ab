"""Grids of pictures: labels | photograph | generated | averaged generator."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_pipeline.files import publish

TITLES = ("labels", "photograph", "generated", "averaged")
_MARGIN = 8
_MIN_WIDTH = 128


def to_uint8(image):
    """Float pictures in [-1, 1] of any shape -> uint8 in [0, 255], rounded."""
    return np.clip(np.round((np.asarray(image) + 1) * 127.5), 0, 255).astype(np.uint8)


def picture_grid(columns, titles=TITLES, *, rows_per_column=4):
    """Lays pictures out under titles.

    Args:
        columns: one uint8 (n, H, W, 3) per title.
        titles: str each.
        rows_per_column: where there are more pictures than this, they go on to the right.

    Returns:
        uint8 (height, width, 3); small pictures are enlarged, pixels as they are.
    """
    scale = max(1, -(-_MIN_WIDTH // columns[0].shape[2]))
    count, height, width = columns[0].shape[:3]
    height, width = scale * height, scale * width
    font = ImageFont.load_default(size=14)
    header = 24
    rows = min(count, rows_per_column)
    groups = -(-count // rows)
    cell_height, cell_width = height + _MARGIN, width + _MARGIN
    group_width = len(columns) * cell_width + 2 * _MARGIN
    canvas = Image.new(
        "RGB",
        (groups * group_width - _MARGIN, header + rows * cell_height + _MARGIN),
        (255, 255, 255),
    )
    draw = ImageDraw.Draw(canvas)
    for group in range(groups):
        for i, (title, pictures) in enumerate(zip(titles, columns, strict=True)):
            x = group * group_width + _MARGIN + i * cell_width
            draw.text((x, 4), title, fill=(40, 40, 40), font=font)
            for row, picture in enumerate(pictures[group * rows : (group + 1) * rows]):
                large = Image.fromarray(picture).resize((width, height), Image.Resampling.NEAREST)
                canvas.paste(large, (x, header + row * cell_height))
    return np.asarray(canvas)


def save_png(path, picture):
    """Writes a uint8 (H, W, 3) picture, atomically."""
    temporary = f"{path}.tmp"
    Image.fromarray(picture).save(temporary, format="PNG")
    publish(temporary, path)
