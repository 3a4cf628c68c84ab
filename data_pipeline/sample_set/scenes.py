"""Storybook scenes for the sample data set: composed, painted and outlined with numpy and Pillow.

A scene is a list of things (kind, box), painted back to front. How a kind looks is a row of `KINDS`
in `kinds.py`; how often, how large and where it comes is a row of `SKY` or `LAND` here, or
of `PARTS` if it only ever grows on another thing (a roof on a house). Lengths are in picture
heights, so a scene looks the same at every size: y runs from 0 (top) to 1, x to width / height.

Sky, hills and meadow are the background and stay unlabelled, as LVIS labels objects only.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from data_pipeline.sample_set.kinds import KINDS, Patch, mix, rgb

__all__ = ["Drawn", "draw_scene"]

SUPERSAMPLE = 3  # paint at three times the size, then average: smooth edges without blending code
HORIZON = 0.52
FEWEST = 5  # things (a house with its parts counts once) in a scene that is not empty


# === Composition ===


# fmt: off
class Place(NamedTuple):
    """How often, how many, how large and where; see the columns below."""

    name: str
    chance: float            # share of the scenes (of those with its host) that try it
    count: tuple[int, int]
    width: tuple[float, float]   # in picture heights
    aspect: float                # height / width
    foot: tuple[float, float]    # y of the lower edge
    host: str = ""               # stands on this thing: boat on lake, car on road
    crowd: float = 0.06          # share of itself it may have in common with earlier things


SKY = (
    Place("rainbow", .011, (1, 1), (0.95, 1.15), .52, (.50, .54), crowd=1),
    Place("sun",     .46,  (1, 1), (0.27, 0.38), 1., (.28, .42)),
    Place("moon",    .08,  (1, 1), (0.22, 0.28), 1., (.26, .38)),
    Place("balloon", .09,  (1, 1), (0.27, 0.35), 1.35, (.42, .52)),
    Place("cloud",   .82,  (1, 3), (0.40, 0.64), .46, (.20, .38)),
    Place("kite",    .06,  (1, 1), (0.17, 0.23), 1.6, (.36, .46)),
    Place("bird",    .11,  (1, 3), (0.11, 0.17), .62, (.12, .40)),
)
LAND = (  # the rare before the common, or they would seldom find room
    Place("lake",    .32,  (1, 1), (0.85, 1.20), .28, (.95, 1.04), crowd=1),
    Place("road",    .20,  (1, 1), (9.99, 9.99), .21, (.95, .99), crowd=1),
    Place("windmill", .028, (1, 1), (0.44, 0.52), 1.4, (.68, .76)),
    Place("lighthouse", .022, (1, 1), (0.22, 0.26), 2.6, (.66, .72)),
    Place("tent",    .015, (1, 1), (0.42, 0.52), .74, (.74, .84)),
    Place("snowman", .014, (1, 1), (0.26, 0.32), 1.6, (.80, .92)),
    Place("cow",     .06,  (1, 2), (0.34, 0.42), .70, (.72, .92)),
    Place("house",   .66,  (1, 1), (0.46, 0.64), .56, (.68, .78), crowd=.2),
    Place("trunk",   .88,  (1, 3), (0.085, 0.13), 2.5, (.68, .88), crowd=.25),
    Place("fir",     .17,  (1, 3), (0.24, 0.36), 1.6, (.64, .80), crowd=.2),
    Place("haystack", .08, (1, 2), (0.30, 0.42), .72, (.68, .84)),
    Place("boat",    .60,  (1, 1), (0.36, 0.46), .30, (.46, .62), "lake", crowd=1),
    Place("car",     .62,  (1, 1), (0.38, 0.48), .48, (.50, .66), "road", crowd=1),
    Place("sheep",   .13,  (1, 3), (0.26, 0.36), .76, (.72, .93)),
    Place("bush",    .42,  (1, 3), (0.30, 0.44), .58, (.66, .84), crowd=.15),
    Place("fence",   .15,  (1, 1), (0.50, 0.70), .34, (.72, .92), crowd=.15),
    Place("rock",    .13,  (1, 2), (0.22, 0.36), .62, (.74, .96)),
    Place("pumpkin", .035, (1, 2), (0.22, 0.30), .84, (.76, .96)),
    Place("mushroom", .09, (1, 2), (0.18, 0.27), .98, (.78, .97)),
    Place("flower",  .24,  (2, 4), (0.13, 0.17), 1.65, (.80, .99)),
)
# What grows on a thing: (name, chance, box in units of the carrier's box: x, y, width, height)
PARTS = {
    "house": (("chimney", .30, (.66, -.70, .13, .50)), ("roof", 1., (-.09, -.56, 1.18, .60)),
              ("door", .88, (.40, .38, .22, .62)), ("window", .92, (.09, .24, .22, .40)),
              ("window", .78, (.70, .24, .22, .40))),
    "trunk": (("tree", 1., (-1.75, -1.30, 4.5, 1.75)),),
    "boat": (("sail", .78, (.10, -2.5, .80, 2.6)),),
}
# fmt: on


class Thing(NamedTuple):
    kind: str
    box: tuple[float, float, float, float]  # x, y, width, height, in picture heights
    mirrored: bool


def _grow(rng, place, box, mirrored):
    """The thing itself and its parts, back to front."""
    things = [Thing(place, box, mirrored)]
    x, y, w, h = box
    for name, chance, (px, py, pw, ph) in PARTS.get(place, ()):
        if rng.random() < chance:
            px = 1 - px - pw if mirrored else px
            things.append(Thing(name, (x + px * w, y + py * h, pw * w, ph * h), mirrored))
    return things


def _hull(things):
    low = np.min([t.box[:2] for t in things], axis=0)
    high = np.max([np.add(t.box[:2], t.box[2:]) for t in things], axis=0)
    return np.r_[low, high]


def _shared(box, others):
    """Largest share of `box` (x0, y0, x1, y1), or of the other one, that they have in common."""
    share = 0.0
    for other in others:
        side = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
        smaller = min(np.prod(box[2:] - box[:2]), np.prod(other[2:] - other[:2]))
        share = max(share, float(np.prod(np.maximum(side, 0)) / smaller))
    return share


def compose(rng, width):
    """A scene `width` picture heights wide: things in painting order."""
    while True:
        sky, ground, standing, taken = [], [], [], []
        hosts = {}
        for place in SKY + LAND:
            if rng.random() >= place.chance or (place.host and place.host not in hosts):
                continue
            if (place.name == "road" and "lake" in hosts) or (place.name == "moon" and sky):
                continue
            for _ in range(rng.integers(place.count[0], place.count[1] + 1)):
                found = _settle(rng, place, width, hosts, taken)
                if found is None:
                    break
                group, hull = found
                if place.name in ("lake", "road"):
                    hosts[place.name] = hull
                    ground += group
                    continue
                (sky if place in SKY else standing).append((hull[3], group))
                taken.append(hull)
        if len(sky) + len(ground) + len(standing) >= FEWEST:
            break
    standing.sort(key=lambda pair: pair[0])  # the nearer, the later
    return [*(t for _, g in sky for t in g), *ground, *(t for _, g in standing for t in g)]


def _settle(rng, place, width, hosts, taken, attempts=20):
    """The first random position with room for a thing: its group and hull, or None."""
    for _ in range(attempts):
        group, hull = _try(rng, place, width, hosts)
        x, y, w, h = group[0].box
        foot = np.array(
            [x, y + 0.8 * h, x + w, y + h]
        )  # nothing stands in the water or on the road
        wet = 0 if place.host or place in SKY else _shared(foot, hosts.values())
        if _shared(hull, taken) <= place.crowd and wet <= 0.05:
            return group, hull
    return None


def _try(rng, place, width, hosts):
    """One random position: the group and its hull (x0, y0, x1, y1)."""
    mirrored = bool(rng.random() < 0.5)
    w = min(rng.uniform(*place.width), width)
    h = min(w * place.aspect, 0.2) if place.name == "road" else w * place.aspect
    foot = rng.uniform(*place.foot)
    left, right = -0.15 * w, width - 0.85 * w
    if place.name == "road":
        left = right = 0.0
        w = width
    elif place.host:
        x0, y0, x1, y1 = hosts[place.host]
        foot = y0 + foot * (y1 - y0)
        left, right = max(x0 + 0.12 * (x1 - x0), 0), min(x1 - 0.12 * (x1 - x0), width) - w
    x = rng.uniform(left, max(left, right))
    group = _grow(rng, place.name, (x, foot - h, w, h), mirrored)
    return group, _hull(group)


# === Painting ===


class Drawn(NamedTuple):
    """One painted thing that can still be seen.

    Attributes:
        kind: key of `KINDS`.
        polygons: float64 (n, 2) each, (x, y) in pixels, two decimals, inside the picture.
        mask: bool (H, W), the whole thing, also where something later covers it.
        area: its area in pixels, to a ninth of a pixel.
    """

    kind: str
    polygons: list
    mask: np.ndarray
    area: float


@lru_cache(maxsize=64)
def _noise_tile(shape, scale_x, scale_y):
    """Smooth noise, float32 of `shape` (rows, columns), mean 0, most of it in [-1, 1]."""
    height = shape[0] / 1.5
    grid = [max(2, round(n / (s * height))) for n, s in zip(shape, (scale_y, scale_x), strict=True)]
    values = np.random.default_rng(grid).uniform(-1, 1, grid).astype(np.float32)
    return np.asarray(Image.fromarray(values).resize(shape[::-1], Image.Resampling.BICUBIC))


def _noise(rng, canvas, rows, columns, scale_x, scale_y):
    """A random window (rows, columns) of the noise made for a canvas of this size."""
    tile = _noise_tile(tuple(3 * n // 2 for n in canvas.shape[1:]), scale_x, scale_y)
    top, left = (rng.integers(0, n - m) for n, m in zip(tile.shape, (rows, columns), strict=True))
    return tile[top : top + rows, left : left + columns]


def _background(rng, rows, columns):
    """Sky, far hills and meadow, float32 (3, rows, columns); and the evening in [0, 1]."""
    canvas = np.empty((3, rows, columns), np.float32)
    evening = np.float32(rng.uniform(0, 1) ** 2)
    y = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None]
    x = ((np.arange(columns, dtype=np.float32) + 0.5) / rows)[None]
    top, low = mix("#7fbdea", "#9a9fd8", evening), mix("#dff0f7", "#fbd3b0", evening)
    canvas[:] = mix(top, low, y / HORIZON)
    phase = rng.uniform(0, 6.3, 3)
    far = HORIZON - 0.045 + 0.03 * np.sin(3.1 * x + phase[0]) + 0.012 * np.sin(7 * x + phase[1])
    near = HORIZON + 0.02 + 0.015 * np.sin(2.3 * x + phase[2])
    hills = slice(int((HORIZON - 0.09) * rows), int((HORIZON + 0.04) * rows))
    np.copyto(canvas[:, hills], mix("#a9cfc0", "#b9bfc4", evening), where=y[hills] > far)
    land = slice(int(HORIZON * rows), rows)
    noise = partial(_noise, rng, canvas, rows - land.start, columns)
    tufts = 0.13 * noise(0.012, 0.03) + 0.13 * noise(0.16, 0.07)
    depth = (y[land] - HORIZON) / (1 - HORIZON)
    np.copyto(canvas[:, land], mix("#b5d982", "#79b352", 0.8 * depth + tufts), where=y[land] > near)
    return canvas, evening


def _clip(polygon, height, width):
    """The part of a polygon inside the picture (Sutherland and Hodgman), float (n, 2) or (0, 2)."""
    for axis, limit, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        depth = sign * (polygon[:, axis] - limit)
        if len(polygon) and depth.min() >= 0:
            continue
        kept = []
        for here, d, there, e in zip(
            polygon, depth, np.roll(polygon, -1, 0), np.roll(depth, -1), strict=True
        ):
            if d >= 0:
                kept.append(here)
            if d * e < 0:
                kept.append(here + (there - here) * d / (d - e))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon


def _shadow(canvas, box):
    """Darkens the ground in an ellipse around the foot of a box."""
    _, rows, columns = canvas.shape
    x, y, w, h = box
    cx, cy, rx, ry = x + 0.55 * w, y + h, 0.62 * w, 0.035 + 0.03 * w
    x0, x1 = (int(np.clip(v * rows, 0, columns)) for v in (cx - rx, cx + rx))
    y0, y1 = (int(np.clip(v * rows, 0, rows)) for v in (cy - ry, cy + ry))
    dx = (np.arange(x0, x1) / rows - cx) / rx
    dy = (np.arange(y0, y1) / rows - cy) / ry
    depth = np.clip(1 - dx[None] ** 2 - dy[:, None] ** 2, 0, 1)
    canvas[:, y0:y1, x0:x1] *= (1 - 0.38 * depth).astype(np.float32)


def _fill(polygons, corner, shape):
    """Bool (rows, columns): inside any of the polygons, whose origin is moved to `corner`."""
    image = Image.new("1", shape[::-1])
    pen = ImageDraw.Draw(image)
    for polygon in polygons:  # pixel centres lie at half coordinates, Pillow's at whole ones
        pen.polygon((polygon - 0.5 - corner).ravel().tolist(), fill=1)
    return np.asarray(image)


def _stroke(polygons, corner, shape, width):
    """Bool (rows, columns): on the outline of any of the polygons."""
    image = Image.new("1", shape[::-1])
    pen = ImageDraw.Draw(image)
    for polygon in polygons:
        line = np.vstack([polygon, polygon[:1]]) - 0.5 - corner
        pen.line(line.ravel().tolist(), fill=1, width=width)
    return np.asarray(image)


def _paint(rng, canvas, thing):
    """Paints one thing.

    Returns:
        Its polygons in pixels of the picture, clipped; its mask, bool (rows, columns); and the
        window of the canvas that mask belongs to, two slices aligned to whole pixels of the
        picture. None if it lies outside.
    """
    kind = KINDS[thing.kind]
    _, rows, columns = canvas.shape
    height, width = rows // SUPERSAMPLE, columns // SUPERSAMPLE
    left, top, w, h = thing.box
    outlines = kind.shape(rng)
    if thing.mirrored:
        outlines = [p * [-1, 1] + [1, 0] for p in outlines]
    outlines = [((left, top) + p * (w, h)) * height for p in outlines]
    polygons = [np.round(_clip(p, height, width), 2) for p in outlines]
    polygons = [p for p in polygons if len(p) >= 3 and np.ptp(p, axis=0).min() > 0]
    if not polygons:
        return None
    corner = np.floor(np.min([p.min(0) for p in polygons], axis=0)).astype(int) * SUPERSAMPLE
    stop = np.ceil(np.max([p.max(0) for p in polygons], axis=0)).astype(int) * SUPERSAMPLE
    shape = tuple(int(n) for n in (stop - corner)[::-1])
    window = slice(corner[1], stop[1]), slice(corner[0], stop[0])
    mask = _fill([p * SUPERSAMPLE for p in polygons], corner, shape)

    x = ((np.arange(corner[0], stop[0], dtype=np.float32) + 0.5) / rows - left)[None]
    y = ((np.arange(corner[1], stop[1], dtype=np.float32) + 0.5) / rows - top)[:, None]
    u, v = (x / w).astype(np.float32), (y / h).astype(np.float32)
    tint = rng.uniform(0.95, 1.05) * rng.uniform(0.98, 1.02, (3, 1, 1))
    pair = kind.schemes[rng.integers(len(kind.schemes))]
    a, b = (np.clip(rgb(c) * tint, 0, 1).astype(np.float32) for c in pair)
    noise = partial(_noise, rng, canvas, *shape)
    colour = kind.texture(Patch(1 - u if thing.mirrored else u, v, x, y, a, b, noise))
    if kind.ink:
        edge = _stroke(
            [p * SUPERSAMPLE for p in outlines], corner, shape, max(1, round(0.008 * rows))
        )
        light = 1.07 - 0.1 * v - 0.06 * u  # from the upper left
        colour = colour * np.where(edge, light * (1 - kind.ink), light).astype(np.float32)
    if kind.stands:
        _shadow(canvas, thing.box)
    np.copyto(canvas[:, window[0], window[1]], colour, where=mask, casting="same_kind")
    return polygons, mask, window


def _average(array):
    """Mean over the small blocks of a supersampled array (..., rows, columns), float32."""
    s = SUPERSAMPLE
    total = array[..., ::s, ::s].astype(np.float32)
    for k in range(1, s * s):
        total += array[..., k // s :: s, k % s :: s]
    return total / np.float32(s * s)


def draw_scene(rng, size, empty=False):
    """Composes and paints one scene.

    Args:
        rng: `numpy.random.Generator`; all that varies is drawn from it.
        size: (H, W) in pixels, each at least 32.
        empty: leave the meadow without any object. Defaults to False.

    Returns:
        The photograph, uint8 (H, W, 3) in [0, 255]; the things seen in it, a list of `Drawn` in
        painting order (paint later masks over earlier ones to get the label map); and the share of
        its pixels that belong to none, a float in [0, 1].

    >>> picture, things, unlabelled = draw_scene(np.random.default_rng(0), (32, 48), empty=True)
    >>> picture.shape, things, unlabelled
    ((32, 48, 3), [], 1.0)
    """
    height, width = size
    canvas, evening = _background(rng, SUPERSAMPLE * height, SUPERSAMPLE * width)
    owner = np.full(canvas.shape[1:], -1, np.int16)
    painted = []
    for thing in [] if empty else compose(rng, width / height):
        result = _paint(rng, canvas, thing)
        if result:
            polygons, mask, window = result
            np.copyto(owner[window], len(painted), where=mask)
            painted.append((thing.kind, polygons, mask, window))
    picture = _average(canvas) * mix("#ffffff", "#fff0e2", evening)
    picture = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8).transpose(1, 2, 0)

    pixels = np.bincount(owner.ravel() + 1, minlength=len(painted) + 1)  # the first: unlabelled
    drawn = []
    for (kind, polygons, mask, (rows, columns)), seen in zip(painted, pixels[1:], strict=True):
        share = _average(mask)
        whole = np.zeros((height, width), bool)
        s = SUPERSAMPLE
        whole[rows.start // s : rows.stop // s, columns.start // s : columns.stop // s] = (
            share > 0.5
        )
        if seen >= 4 * s * s and whole.any():  # not wholly hidden
            drawn.append(Drawn(kind, polygons, whole, float(share.sum(dtype=np.float64))))
    return np.ascontiguousarray(picture), drawn, float(pixels[0] / owner.size)
