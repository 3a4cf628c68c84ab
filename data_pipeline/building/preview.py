"""`preview.png`: a dozen examples with their labels over them, so that wrong labels are seen."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_pipeline.errors import BuildFailed
from data_pipeline.files import publish
from data_pipeline.records.manifest import PREVIEW

EXAMPLES = 12
_LEGEND = 48
_PAIRS_A_ROW = 3
_SIDE = 208  # of a picture, at most
_MARGIN = 10
_LINE = 22
_ENTRY = 230  # width of an entry of the legend
_NAME = 84  # where the name begins in it, after colour and share
_FONT = 13
_INK, _GREY = (30, 30, 30), (110, 110, 110)
_OPACITY = 0.6


def draw_preview(examples, manifest):
    """Draws pictures beside themselves under their labels, and a legend.

    Args:
        examples: list of (name, uint8 (H, W, 3), int (H, W) in our ids), all of one size.
        manifest: Manifest, for colours, names and shares of pixels.

    Returns:
        uint8 (height, width, 3).
    """
    palette = np.array(manifest.palette, np.uint8)  # (N, 3)
    pairs = [
        (name, _scaled(picture, Image.Resampling.BICUBIC), _overlay(picture, palette[label_map]))
        for name, picture, label_map in examples
    ]
    height, width = pairs[0][1].shape[:2]
    columns = min(_PAIRS_A_ROW, len(pairs))
    pair_width = 2 * width + 2 + _MARGIN
    row_height = height + _LINE
    rows = -(-len(pairs) // columns)
    sheet_width = max(columns * pair_width, 2 * _ENTRY) + _MARGIN
    legend = _Legend(manifest, (sheet_width - 2 * _MARGIN) // _ENTRY)
    top = rows * row_height + 2 * _MARGIN
    sheet = Image.new("RGB", (sheet_width, top + legend.height + _MARGIN), (255, 255, 255))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=_FONT)
    for number, (name, picture, overlay) in enumerate(pairs):
        left = _MARGIN + number % columns * pair_width
        upper = _MARGIN + number // columns * row_height
        draw.text((left, upper), _fitting(name, 2 * width, font, keep_end=True), _GREY, font)
        sheet.paste(Image.fromarray(picture), (left, upper + _LINE - 4))
        sheet.paste(Image.fromarray(overlay), (left + width + 2, upper + _LINE - 4))
    legend.draw(draw, _MARGIN, top, font)
    return np.asarray(sheet)


def some_examples(data_dir, manifest):
    """Reads the examples to show: the first of the first split, train if there is one.

    Training examples are in random order on disk, so these are of all parts of the data.

    Args:
        data_dir: directory of the shards.
        manifest: its Manifest, which need not be written yet.

    Returns:
        list of at most `EXAMPLES` (name, uint8 (H, W, 3), int32 (H, W)).
    """
    # Imported here: a command line is answered without the seconds TensorFlow takes to start.
    import tensorflow as tf

    from data_pipeline.records.schema import parse

    split = next(iter(manifest.splits.values()))
    files = [str(data_dir / shard.name) for shard in split.shards]
    records = [parse(record) for record in tf.data.TFRecordDataset(files).take(EXAMPLES)]
    return [
        (
            record["name"].numpy().decode(errors="replace"),
            record["image"].numpy(),
            record["label_map"].numpy(),
        )
        for record in records
    ]


def write_preview(data_dir, manifest):
    """Writes `preview.png` into the directory of the shards, all at once.

    Raises:
        BuildFailed: the disk does not take it.
    """
    temporary = data_dir / f"{PREVIEW}.tmp"
    sheet = draw_preview(some_examples(data_dir, manifest), manifest)
    try:
        Image.fromarray(sheet).save(temporary, format="PNG")
        publish(temporary, data_dir / PREVIEW)
    except OSError as error:
        raise BuildFailed(
            f"{data_dir / PREVIEW} could not be written. The shards are kept: run the same command "
            f"again. Received: {error}"
        ) from None


class _Legend:
    """Colour, name and share of the most frequent classes.

    Args:
        manifest: Manifest.
        columns: entries side by side.
    """

    def __init__(self, manifest, columns):
        counts = np.sum([s.pixels_per_class for s in manifest.splits.values()], axis=0)  # (N,)
        order = [0, *sorted(range(1, len(counts)), key=lambda i: (-counts[i], i))]
        present = [i for i in order if counts[i] or i == 0]
        shares = counts / max(1, counts.sum())
        self._columns = columns
        self._entries = [
            (tuple(manifest.palette[i]), manifest.class_names[i], _percent(shares[i]))
            for i in present[:_LEGEND]
        ]
        rest, absent = present[_LEGEND:], len(counts) - len(present)
        notes = []
        if rest:
            notes.append(
                f"{len(rest)} more classes with {_percent(shares[rest].sum())} of all pixels"
            )
        if absent:
            notes.append(f"{absent} classes of the list have no pixel")
        self._note = "; ".join(notes)
        self._rows = -(-len(self._entries) // columns)
        self.height = (self._rows + bool(self._note)) * _LINE

    def draw(self, draw, left, top, font):
        """Draws it, column by column."""
        for number, (colour, name, share) in enumerate(self._entries):
            x = left + number // self._rows * _ENTRY
            y = top + number % self._rows * _LINE
            draw.rectangle((x, y + 2, x + 26, y + _LINE - 5), colour, (150, 150, 150))
            draw.text((x + _NAME - 8 - draw.textlength(share, font), y + 2), share, _GREY, font)
            name = _fitting(name, _ENTRY - _NAME - _MARGIN, font)
            draw.text((x + _NAME, y + 2), name, _INK, font)
        draw.text((left, top + self._rows * _LINE + 2), self._note, _GREY, font)


def _overlay(picture, colours):
    """Labels in colour over a greyer picture: uint8 (h, w, 3)."""
    grey = picture.mean(axis=-1, keepdims=True)
    mixed = _OPACITY * colours + (1 - _OPACITY) * grey
    return _scaled(mixed.round().astype(np.uint8), Image.Resampling.BICUBIC)


def _scaled(picture, method):
    """Fits a uint8 (H, W, 3) picture into the side; small ones grow by whole pixels."""
    height, width = picture.shape[:2]
    largest = max(height, width)
    if largest < _SIDE:
        scale = _SIDE // largest
        return picture.repeat(scale, axis=0).repeat(scale, axis=1)
    size = (max(1, width * _SIDE // largest), max(1, height * _SIDE // largest))
    return np.asarray(Image.fromarray(picture).resize(size, method))


def _fitting(text, width, font, *, keep_end=False):
    """The text, or what of it fits with "..."."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        short = f"...{text[-length:]}" if keep_end else f"{text[:length]}..."
        if font.getlength(short) <= width:
            return short
    return "..."


def _percent(share):
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{share:.1%}"
