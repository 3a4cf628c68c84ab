"""Label PNGs as tools write them, and what each must mean to everybody who reads label maps.

`tests/serving/test_label_corpus.py` takes each through `build`, the commands, the exported graph
and the editor page.
"""

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

SIZE = (64, 128)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
READERS = ("build", "command", "graph", "page")

# What pictures mean for the eye: decoders that obey these change the values.
GAMMA = (b"gAMA", struct.pack(">I", 100_000))
PRIMARIES = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))


@dataclass(frozen=True)
class Setting:
    """A data set: its class list, and a palette file that sets what its indices mean.

    Attributes:
        classes: content of `class_names.json`.
        unlabelled: of `--unlabelled`, or None.
        ours: {id in files: our id}, by hand.
        reference: PNG files that every build of this data set has, or none.
    """

    classes: list
    unlabelled: str | None
    ours: dict
    reference: tuple = ()


@dataclass(frozen=True)
class Case:
    """A file.

    Attributes:
        setting: a key of SETTINGS.
        name: what it shows.
        data: PNG bytes.
        ids: int (H, W) that it means, as in the data set's files; None where all must refuse it.
        refused_by: readers that must refuse it although others know its meaning.
    """

    setting: str
    name: str
    data: bytes = field(repr=False)
    ids: np.ndarray | None = field(repr=False)
    refused_by: tuple = ()


def png(samples, kind, depth=8, palette=(), chunks=()):
    """Writes a PNG file by hand, so that nothing is made smaller or put in order.

    Args:
        samples: int (H, W) or (H, W, channels).
        kind: colour type of the header.
        depth: bits of a sample.
        palette: (r, g, b) entries.
        chunks: more of them, (name, data), before the pixels.
    """
    samples = np.asarray(samples)
    height, width = samples.shape[:2]
    flat = samples.reshape(height, -1)
    bits = (flat[..., None] >> np.arange(depth)[::-1]) & 1  # (H, samples, depth)
    packed = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))]
    before = [chunk for chunk in chunks if chunk[0] != b"tRNS"]
    after = [chunk for chunk in chunks if chunk[0] == b"tRNS"]
    entries = [(b"PLTE", bytes(np.array(palette, np.uint8)))] if len(palette) else []
    parts += [*before, *entries, *after, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def stripes(*ids):
    """Slanting stripes of ids: int (H, W)."""
    rows, columns = np.indices(SIZE)
    return np.array(ids)[(rows + columns) // 9 % len(ids)]


def voc_palette(count=256):
    """PASCAL VOC's colours: bits of the index, spread over the channels from the highest on."""
    colours = np.zeros((count, 3), int)
    for index in range(count):
        for place in range(8):
            for channel in range(3):
                colours[index, channel] |= (index >> 3 * place + channel & 1) << 7 - place
    return [tuple(colour) for colour in colours.tolist()]


COLOURS = {
    "sky": (70, 130, 180),
    "road": (128, 64, 128),
    "house": (70, 70, 70),
    "unlabelled": (0, 0, 0),
}
SETTINGS = {
    "colours": Setting(
        [{"name": name, "color": list(colour)} for name, colour in COLOURS.items()],
        None,
        {0: 1, 1: 2, 2: 3, 3: 0},
    ),
    "palette": Setting(
        [f"thing {i}" for i in range(9)],
        "255",
        {**{i: i + 1 for i in range(9)}, 255: 0},
        (png(stripes(0, 2, 5, 255, 1), PALETTE, 8, voc_palette()),),
    ),
    "names": Setting([f"thing {i}" for i in range(50)], None, {i: i + 1 for i in range(50)}),
}


def _coloured():
    table = np.array([*COLOURS.values()])
    ids, two, white = stripes(0, 1, 2, 3), stripes(0, 1), np.full((*SIZE, 1), 255)
    colours = table[ids]
    reverse = table[::-1]
    odd = colours.copy()
    odd[5:7, 9] = (70, 130, 181)

    def palette(indices, entries, depth=8, chunks=()):
        return png(indices, PALETTE, depth, entries, chunks)

    def case(name, data, ids=ids, refused_by=()):
        return Case("colours", name, data, ids, refused_by)

    opacity = (b"tRNS", bytes([0, 255, 128]))
    with_opacity = np.concatenate([ids[..., None], white], 2)
    yield case("grey of 8 bits", png(ids, GREY))
    yield case("grey of 16 bits", png(ids, GREY, 16))
    yield case("grey of 4 bits", png(ids, GREY, 4))
    yield case("grey of 2 bits", png(ids, GREY, 2))
    yield case("grey of 1 bit", png(two, GREY, 1), two)
    yield case("grey with gamma", png(ids, GREY, chunks=(GAMMA, PRIMARIES)))
    yield case("grey with opacity", png(with_opacity, GREY_ALPHA))
    # Pillow would cut the greys to 8 bits.
    pillow = ("build", "command")
    yield case("grey of 16 bits with opacity", png(with_opacity, GREY_ALPHA, 16), ids, pillow)
    yield case("grey with a transparent level", png(ids, GREY, chunks=((b"tRNS", b"\0\1"),)))
    yield case("RGB", png(colours, RGB))
    yield case("RGB with gamma", png(colours, RGB, chunks=(GAMMA, PRIMARIES)))
    yield case("RGB of 16 bits", png(colours * 257, RGB, 16))
    yield case("RGBA", png(np.concatenate([colours, white], 2), RGBA))
    yield case("palette in the list's order", palette(ids, table))
    yield case("palette in another order", palette(3 - ids, reverse))
    yield case("palette in another order, 2 bits", palette(3 - ids, reverse, 2))
    yield case("palette with gamma", palette(3 - ids, reverse, 8, (GAMMA, PRIMARIES)))
    yield case("palette with opacity", palette(3 - ids, reverse, 8, (opacity,)))
    filled = np.concatenate([reverse, np.full((252, 3), 9)])
    yield case("palette filled up", palette(3 - ids, filled))
    yield case("palette of greys", palette(3 - ids, [[g] * 3 for g in (3, 2, 1, 0)], 2))
    black = np.full(SIZE, 3)
    yield case("palette of black alone", palette(np.zeros(SIZE, int), [(0, 0, 0)], 1), black)
    yield case("palette of black and half a class's grey", palette(two, [[0] * 3, [71] * 3]), None)
    yield case("RGB with a strange colour", png(odd, RGB), None)
    yield case("palette with a strange colour", palette(ids, [*table[:3], (1, 0, 0)]), None)
    yield case("palette of one grey", palette(ids, [[3] * 3] * 4), None)
    yield case("palette too short", palette(ids, table[:3]), None)
    yield case("grey beyond the classes", png(ids + 1, GREY), None)


def _palettes():
    ids, few = stripes(0, 2, 5, 255), stripes(0, 1, 5)
    renumbered, back = np.unique(ids, return_inverse=True)
    indices, voc = back.reshape(SIZE), np.array(voc_palette())

    def case(name, data, ids=ids, refused_by=()):
        return Case("palette", name, data, ids, refused_by)

    yield case("the data set's palette", png(ids, PALETTE, 8, voc))
    yield case("as far as it is used", png(few, PALETTE, 4, voc[:6]), few)
    yield case("black alone", png(few * 0, PALETTE, 1, voc[:1]), few * 0)
    yield case("grey", png(ids, GREY))
    yield case("RGB", png(voc[ids], RGB), ids, ("build",))
    yield case("renumbered", png(indices, PALETTE, 2, voc[renumbered]), ids, ("build",))
    greys = [[level] * 3 for level in renumbered]
    yield case("palette of greys", png(indices, PALETTE, 2, greys), ids, ("build",))
    yield case("another palette", png(few, PALETTE, 4, 255 - voc[:6]), None)
    moved = stripes(0, 3, 7)
    entries = voc[[0, 3, 2, 1, 4, 7]]
    yield case("in another order", png(few, PALETTE, 4, entries), moved, ("build",))


def _names():
    from data_pipeline.labels.palette import default_palette

    ids, dark = stripes(3, 7, 11), stripes(40)
    back = np.searchsorted([3, 7, 11], ids)
    shown = default_palette(51)[1:]  # of the files' ids

    def case(name, data, ids=ids, refused_by=()):
        return Case("names", name, data, ids, refused_by)

    greys = [[level] * 3 for level in (3, 7, 11)]
    yield case("grey", png(ids, GREY))
    yield case("grey of 4 bits", png(ids, GREY, 4))
    yield case("palette of greys", png(back, PALETTE, 2, greys))
    yield case("palette of greys with gamma", png(back, PALETTE, 2, greys, (GAMMA, PRIMARIES)))
    # The model shows its unlabelled pixels in this grey, but the data set knows nothing of that.
    yield case("palette of one grey", png(dark * 0, PALETTE, 1, [[40] * 3]), dark)
    yield case("RGB as the model shows it", png(shown[ids], RGB), ids, ("build",))
    yield case(
        "palette as the model shows it", png(back, PALETTE, 2, shown[[3, 7, 11]]), ids, ("build",)
    )
    yield case("a palette that means nothing", png(back, PALETTE, 2, voc_palette(3)), None)


CASES = [*_coloured(), *_palettes(), *_names()]
