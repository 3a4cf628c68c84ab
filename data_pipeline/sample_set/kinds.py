"""How the things of the sample data set look: `KINDS`, one row for each category.

A kind is a shape (polygons in a unit box), a texture (a function of the place inside that box), a
few colour schemes, and what LVIS records of a category. Where a thing goes is decided in
`scenes.py`. Lengths are in picture heights, so a thing looks the same at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

__all__ = ["KINDS", "Kind", "Patch", "mix", "rgb"]

LIGHT, INK = "#fffaf0", "#3a3540"


def rgb(colour):
    """`"#rrggbb"` as float32 (3, 1, 1) in [0, 1]: channels first, so that masks broadcast."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.array(channels, np.float32)[:, None, None] / 255


def mix(a, b, t):
    """Colour (3, h, w) going from `a` where t = 0 to `b` where t = 1; t is (h, w), clipped."""
    a, b = (rgb(c) if isinstance(c, str) else c for c in (a, b))
    return a + (b - a) * np.clip(t, 0, 1).astype(np.float32, copy=False)


# === Shapes: rng -> polygons, each float (n, 2), in the unit box, x right and y down ===


def ellipse(cx=0.5, cy=0.5, rx=0.5, ry=0.5, start=0.0, stop=2 * np.pi, n=40):
    a = np.linspace(start, stop, n)
    return np.stack([cx + rx * np.cos(a), cy + ry * np.sin(a)], -1)


def rect(x0, y0, x1, y1):
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def puff(circles, floor=1.0):
    """Outline of a union of circles (x, y, r), seen from (0.5, 0.5), stretched to the unit box."""
    a = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ray = np.stack([np.cos(a), np.sin(a)], -1)
    reach = np.zeros(len(a))
    for x, y, r in circles:
        along = ray @ np.array([x - 0.5, y - 0.5])
        inside = along**2 - (x - 0.5) ** 2 - (y - 0.5) ** 2 + r**2
        reach = np.maximum(reach, along + np.sqrt(np.maximum(inside, 0)) * (inside > 0))
    outline = 0.5 + reach[:, None] * ray
    outline = (outline - outline.min(0)) / np.ptp(outline, axis=0)
    return outline * [1, 1 / floor] if floor == 1 else np.minimum(outline, [1, floor]) / [1, floor]


def fixed(*polygons):
    """A shape that never varies."""
    polygons = [np.asarray(p, float) for p in polygons]
    return lambda rng: polygons


def crown(rng, lobes=9, floor=1.0):
    a = np.linspace(0, 2 * np.pi, lobes, endpoint=False) + rng.uniform(0, 1)
    r = rng.uniform(0.19, 0.25, lobes)
    ring = np.stack([0.5 + 0.29 * np.cos(a), 0.5 + 0.29 * np.sin(a), r], -1)
    return [puff([(0.5, 0.5, 0.34), *ring], floor)]


def cloud(rng):
    x = np.linspace(0.14, 0.86, 5) + rng.uniform(-0.03, 0.03, 5)
    r = np.array([0.15, 0.21, 0.25, 0.2, 0.14]) * rng.uniform(0.85, 1.15, 5)
    y = 0.62 - r * rng.uniform(0.3, 0.9, 5)
    return [puff([*np.stack([x, y, r], -1), (0.5, 0.6, 0.25)], 0.86)]


def blob(rng, wobble=0.05, n=72):
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    waves = [np.sin(k * a + rng.uniform(0, 6.3)) / k for k in (2, 3, 5)]
    r = (1 + 2 * wobble * np.sum(waves, 0))[:, None]
    p = 0.5 + r * np.stack([np.cos(a), np.sin(a)], -1)
    return [(p - p.min(0)) / np.ptp(p, axis=0)]


def stone(rng):
    a = np.linspace(np.pi, 2 * np.pi, 8) + np.r_[0, rng.uniform(-0.12, 0.12, 6), 0]
    r = np.r_[1, rng.uniform(0.8, 1.05, 6), 1]
    top = np.stack([0.5 + 0.5 * r * np.cos(a), 0.8 + 0.8 * r * np.sin(a)], -1)
    return [np.clip(np.vstack([top, [(0.93, 1), (0.07, 1)]]), 0, 1)]


def sunburst(rng, rays=14):
    a = np.linspace(0, 2 * np.pi, 2 * rays, endpoint=False) + rng.uniform(0, 0.4)
    r = np.where(np.arange(2 * rays) % 2, 0.5, 0.37)
    return [np.stack([0.5 + r * np.cos(a), 0.5 + r * np.sin(a)], -1)]


def crescent(rng):
    tilt = (
        -0.12 * np.pi
    )  # radii 0.5 and 0.4, centres 0.3 apart: the inner circle meets at 90 degrees
    outer = ellipse(start=tilt + 0.2952 * np.pi, stop=tilt + 1.7048 * np.pi)
    cx, cy = 0.5 + 0.3 * np.cos(tilt), 0.5 + 0.3 * np.sin(tilt)
    return [np.vstack([outer, ellipse(cx, cy, 0.4, 0.4, tilt + 1.5 * np.pi, tilt + 0.5 * np.pi)])]


def arch(rng):
    inner = ellipse(0.5, 1, 0.68 * 0.5, 0.68, 2 * np.pi, np.pi)
    return [np.vstack([ellipse(0.5, 1, 0.5, 1, np.pi, 2 * np.pi), inner])]


def band(rng):
    x = np.linspace(0, 1, 25)
    bend = 0.1 * np.sin(5 * x + rng.uniform(0, 6.3))
    edges = np.r_[np.stack([x, 0.1 + bend], -1), np.stack([x, 0.9 + bend], -1)[::-1]]
    return [edges]


def gable(rng):
    inset = rng.choice([0.16, 0.5])
    return [np.array([(0, 1), (inset, 0), (1 - inset, 0), (1, 1)])]


def pickets(rng):
    posts = [
        [(x, 1), (x, 0.14), (x + 0.045, 0), (x + 0.09, 0.14), (x + 0.09, 1)]
        for x in np.linspace(0, 0.91, 6)
    ]
    return [np.array(p) for p in posts] + [rect(0, 0.3, 1, 0.46), rect(0, 0.66, 1, 0.82)]


def fir(rng):
    half = [(0.5, 0), (0.74, 0.34), (0.62, 0.34), (0.88, 0.63), (0.7, 0.63), (1, 0.9), (0.58, 0.9)]
    half = np.array([*half, (0.58, 1)])
    return [np.vstack([half, (half * [-1, 1] + [1, 0])[::-1]])]


def bloom(rng):
    a = np.linspace(0, 2 * np.pi, 6, endpoint=False) + rng.uniform(0, 1)
    petals = puff([(0.5 + 0.3 * np.cos(t), 0.5 + 0.3 * np.sin(t), 0.2) for t in a])
    stem, leaf = rect(0.44, 0.5, 0.56, 1), ellipse(0.7, 0.8, 0.2, 0.07)
    return [petals * [1, 0.6], stem, leaf]


def woolly(rng):
    body = crown(rng, 10)[0] * [0.86, 0.76] + [0.14, 0]
    legs = [rect(x, 0.6, x + 0.08, 1) for x in (0.3, 0.42, 0.68, 0.8)]
    return [body, ellipse(0.14, 0.36, 0.14, 0.19), *legs]


def mill(rng):
    turn = rng.uniform(0.3, 1.2)
    body = [(0.36, 0.3), (0.64, 0.3), (0.74, 1), (0.26, 1)]
    cap = ellipse(0.5, 0.31, 0.17, 0.1, np.pi, 2 * np.pi)
    blade = np.array([(0.02, -0.015), (0.46, -0.015), (0.46, 0.09), (0.1, 0.09)])
    blades = []
    for a in turn + np.arange(4) * np.pi / 2:
        spin = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        blades.append(blade @ spin * [1, 0.66] + [0.5, 0.31])
    return [np.array(body), cap, *blades]


AIRSHIP = fixed(
    np.vstack(
        [ellipse(0.5, 0.37, 0.5, 0.37, 0.85 * np.pi, 2.15 * np.pi), [(0.6, 0.82), (0.4, 0.82)]]
    ),
    rect(0.4, 0.8, 0.43, 0.9),
    rect(0.57, 0.8, 0.6, 0.9),
    rect(0.37, 0.88, 0.63, 1),
)
CAR = fixed(
    [(0, 0.8), (0.02, 0.46), (0.2, 0.4), (0.32, 0.05), (0.68, 0), (0.82, 0.4), (1, 0.5), (1, 0.8)],
    ellipse(0.24, 0.8, 0.12, 0.2),
    ellipse(0.76, 0.8, 0.12, 0.2),
)
COW = fixed(
    np.clip(ellipse(0.57, 0.4, 0.4, 0.36), [0, 0.1], [0.94, 0.68]),
    [(0.02, 0.1), (0.1, 0.02), (0.24, 0.02), (0.32, 0.1), (0.27, 0.45), (0.08, 0.45)],
    *(rect(x, 0.5, x + 0.09, 1) for x in (0.24, 0.37, 0.69, 0.82)),
    [(0.9, 0.2), (0.99, 0.25), (1, 0.7), (0.95, 0.7), (0.94, 0.3)],
)
SWALLOW = fixed(
    np.vstack(
        [
            [(0, 0.1), (0.3, 0.18), (0.5, 0.5), (0.7, 0.18), (1, 0)],
            [(0.82, 0.5), (0.6, 0.82), (0.5, 1), (0.4, 0.82), (0.2, 0.52)],
        ]
    )
)
LIGHTHOUSE = fixed(
    [(0.3, 0.26), (0.7, 0.26), (0.85, 1), (0.15, 1)],
    rect(0.2, 0.22, 0.8, 0.27),
    rect(0.34, 0.09, 0.66, 0.23),
    ellipse(0.5, 0.1, 0.24, 0.1, np.pi, 2 * np.pi),
)
SNOWMAN = fixed(
    ellipse(0.5, 0.75, 0.46, 0.25),
    ellipse(0.5, 0.45, 0.34, 0.2),
    ellipse(0.5, 0.24, 0.23, 0.14),
    rect(0.24, 0.13, 0.76, 0.17),
    rect(0.34, 0, 0.66, 0.15),
)
KITE = fixed(
    [(0.5, 0), (1, 0.26), (0.5, 0.68), (0, 0.26)],
    [(0.47, 0.66), (0.53, 0.66), (0.62, 0.85), (0.5, 1), (0.46, 0.99), (0.55, 0.85)],
)
MUSHROOM = fixed(
    np.vstack([ellipse(0.5, 0.56, 0.5, 0.56, np.pi, 2 * np.pi), [(0.92, 0.64), (0.08, 0.64)]]),
    [(0.36, 0.6), (0.64, 0.6), (0.7, 1), (0.3, 1)],
)
PUMPKIN = fixed(
    puff([(0.24, 0.5, 0.3), (0.5, 0.5, 0.36), (0.76, 0.5, 0.3)]) * [1, 0.84] + [0, 0.16],
    [(0.44, 0.22), (0.42, 0), (0.54, 0), (0.57, 0.22)],
)
SAIL = fixed(
    [(0.58, 0.02), (0.62, 0.02), (1, 0.9), (0.58, 0.9)],
    [(0.48, 0.12), (0.48, 0.9), (0, 0.9)],
    rect(0.5, 0, 0.56, 1),
)
DOOR = fixed(np.vstack([ellipse(0.5, 0.3, 0.5, 0.3, np.pi, 2 * np.pi), [(1, 1), (0, 1)]]))
HAYSTACK = fixed(
    np.vstack([ellipse(0.5, 0.62, 0.5, 0.62, np.pi, 2 * np.pi), [(0.95, 1), (0.05, 1)]])
)
HULL = fixed([(0, 0.05), (0.2, 0.16), (0.8, 0.16), (1, 0), (0.84, 1), (0.18, 1)])
TENT = fixed([(0.5, 0), (1, 1), (0, 1)])
TRUNK = fixed([(0.22, 0), (0.78, 0), (0.74, 0.75), (1, 1), (0, 1), (0.26, 0.75)])
BOX = fixed(rect(0, 0, 1, 1))


# === Textures: Patch -> float32 (3, h, w) in about [0, 1] ===


class Patch(NamedTuple):
    """The piece of canvas a thing covers, as its texture sees it."""

    u: np.ndarray  # (1, w): 0..1 over the thing's box, mirrored with it
    v: np.ndarray  # (h, 1): 0..1 downwards
    x: np.ndarray  # (1, w): picture heights from the box's left edge
    y: np.ndarray  # (h, 1): picture heights from the box's top edge
    a: np.ndarray  # (3, 1, 1): first colour of the scheme, a little varied
    b: np.ndarray  # (3, 1, 1): second colour
    noise: Callable  # (scale_x, scale_y) -> (h, w), smooth, in about [-1, 1]

    def disc(self, cx, cy, rx, ry):
        """True inside an ellipse of the unit box, (h, w)."""
        return ((self.u - cx) / rx) ** 2 + ((self.v - cy) / ry) ** 2 < 1

    def within(self, x0, y0, x1, y1):
        """True inside a rectangle of the unit box, (h, w)."""
        return (self.u > x0) & (self.u < x1) & (self.v > y0) & (self.v < y1)


def paint_over(colour, *layers):
    """Later layers (mask, colour) over earlier ones."""
    for where, paint in layers:
        np.copyto(colour, rgb(paint) if isinstance(paint, str) else paint, where=where)
    return colour


def flat(p):
    return np.broadcast_to(p.a, (3, p.v.size, p.u.size)).copy()


def brick(p, course=0.042):
    row = np.floor(p.y / course)
    col = (p.x / (2.2 * course)) + 0.5 * (row % 2)
    tone = np.sin(12.9898 * row + 78.233 * np.floor(col)) * 43758.5453 % 1
    mortar = (p.y / course % 1 < 0.17) | (col % 1 < 0.09)
    return paint_over(mix(p.a, p.b, tone), (mortar, "#f3e6cf"))


def tiles(p, course=0.05):
    row = np.floor(p.y / course)
    col = p.x / course + 0.5 * (row % 2)
    drop = p.y / course % 1 + 0.9 * (col % 1 - 0.5) ** 2  # each tile hangs lowest in its middle
    tone = np.sin(12.9898 * row + 78.233 * np.floor(col)) * 43758.5453 % 1
    return mix(p.a, p.b, 0.35 * tone + 0.75 * np.clip(drop - 0.3, 0, 1) ** 2)


def leaves(p):
    t = 0.45 + 0.5 * p.noise(0.05, 0.05) + 0.35 * p.noise(0.018, 0.018) + 0.35 * (p.v - 0.5)
    return mix(p.a, p.b, np.round(np.clip(t, 0, 1) * 4) / 4)


def bark(p):
    return mix(p.a, p.b, 0.5 + 0.9 * p.noise(0.012, 0.2))


def needles(p):
    t = 0.4 + 0.5 * p.noise(0.012, 0.05) + 0.5 * (p.v * 3.4 % 1 - 0.5)
    return paint_over(mix(p.a, p.b, t), ((p.v > 0.9) & (p.u > -1), "#6b4428"))


def fluff(p):
    return mix(p.a, p.b, 1.1 * p.v - 0.35 + 0.3 * p.noise(0.09, 0.05))


def glow(p):
    r = np.hypot(p.u - 0.5, p.v - 0.5)
    return mix(p.a, p.b, (r - 0.1) * 3)


def craters(p):
    return mix(p.a, p.b, 0.2 + 0.8 * p.noise(0.03, 0.03))


def spectrum(p):
    r = np.hypot((p.u - 0.5) * 2, 1 - p.v)
    stops = [rgb(c) for c in ("#e0524d", "#f09a3e", "#f6d94c", "#63b95a", "#4a8fd6", "#8a63c0")]
    return np.hstack(stops)[:, np.clip(((1 - r) / 0.32 * 6).astype(int), 0, 5), 0]


def asphalt(p):
    colour = mix(p.a, p.b, 0.5 + 0.5 * p.noise(0.015, 0.01))
    dash = (np.abs(p.v - 0.5) < 0.045) & (p.x % 0.2 < 0.11)
    return paint_over(colour, (dash, LIGHT))


def ripples(p):
    wave = np.sin(p.y * 130 + 3.5 * p.noise(0.12, 0.05) + 0 * p.x)
    crest = np.clip(wave + 0.8 * p.noise(0.1, 0.02) - 0.55, 0, 1)
    return mix(mix(p.a, p.b, p.v + 0 * p.u), "#dff3fb", 0.75 * crest)


def planks(p, course=0.3):
    seam = (p.v / course % 1 < 0.16) & (p.u > -1)
    colour = mix(p.a, p.b, 0.4 + 0.5 * p.noise(0.1, 0.012))
    return paint_over(colour, (seam, p.b * 0.75), ((p.v < 0.24) & (p.u > -1), LIGHT))


def canvas_stripes(p):
    stripe = (p.v * 5 % 1 < 0.5) & (p.u > -1)
    return paint_over(flat(p), (stripe, p.b), (np.abs(p.u - 0.53) + 0 * p.v < 0.035, "#6b4428"))


def envelope(p):
    bulge = np.sqrt(np.maximum(1.02 - ((p.v - 0.37) / 0.62) ** 2, 0.05))
    gore = np.arcsin(np.clip((p.u - 0.5) * 2 / bulge, -1, 1)) / np.pi * 6 + 0.5
    colour = paint_over(flat(p), (np.floor(gore) % 2 == 1, p.b))
    return paint_over(colour, ((p.v > 0.815) & (p.u > -1), "#8a5a34"))


def quarters(p):
    other = (p.u > 0.5) ^ (p.v > 0.26)
    return paint_over(flat(p), (other, p.b), ((p.v > 0.68) & (p.u > -1), p.a))


def glass(p):
    shine = (p.u + p.v) % 0.7 < 0.16
    frame = (np.abs(p.u - 0.5) > 0.41) | (np.abs(p.v - 0.5) > 0.41)
    bars = (np.abs(p.u - 0.5) < 0.05) | (np.abs(p.v - 0.5) < 0.05)
    return paint_over(mix(p.a, p.b, p.v + 0 * p.u), (shine, "#d8f0fb"), (frame | bars, LIGHT))


def boards(p):
    seam = (p.u * 4 % 1 < 0.12) & (p.v > -1)
    knob = p.disc(0.8, 0.6, 0.09, 0.05)
    return paint_over(
        mix(p.a, p.b, 0.5 + 0.5 * p.noise(0.01, 0.1)), (seam, p.b * 0.8), (knob, "#f2cf58")
    )


def whitewash(p):
    return mix(p.a, p.b, 0.3 + 0.4 * p.noise(0.02, 0.05) + 0.5 * (p.u - 0.5))


def straw(p):
    t = 0.45 + 0.7 * p.noise(0.012, 0.08) + 0.3 * (p.v - 0.5)
    return mix(p.a, p.b, t)


def granite(p):
    return mix(p.a, p.b, 0.55 * p.v + 0.2 + 0.45 * p.noise(0.02, 0.02) + 0.25 * (p.u - 0.5))


def petals(p):
    colour = paint_over(flat(p), ((p.v > 0.585) & (p.u > -1), "#3f8f3a"))
    ray = np.cos(6 * np.arctan2((p.v - 0.3) / 0.6, p.u - 0.5))
    colour *= 1 - 0.1 * (ray < -0.3)
    return paint_over(colour, (p.disc(0.5, 0.3, 0.2, 0.12), p.b))


def toadstool(p):
    spots = [(0.28, 0.38, 0.1), (0.55, 0.2, 0.12), (0.77, 0.42, 0.09), (0.5, 0.5, 0.08)]
    dots = np.logical_or.reduce([p.disc(x, y, r, r) for x, y, r in spots])
    return paint_over(flat(p), (dots, LIGHT), ((p.v > 0.64) & (p.u > -1), p.b))


def wool(p):
    curl = np.sin(p.x * 170 + 4 * p.noise(0.03, 0.03)) * np.sin(p.y * 170 + 4 * p.noise(0.03, 0.03))
    colour = mix(p.a, p.b, 0.35 + 0.45 * curl + 0.5 * (p.v - 0.4))
    limbs = p.disc(0.14, 0.36, 0.15, 0.2) | ((p.v > 0.73) & (p.u > -1))
    return paint_over(colour, (limbs, INK), (p.disc(0.11, 0.31, 0.035, 0.05), LIGHT))


def patches(p):
    colour = mix(p.a, p.b, (p.noise(0.055, 0.055) - 0.1) * 20)
    muzzle = p.within(0, 0.32, 0.3, 0.46)
    hooves = (p.v > 0.92) & (p.u > -1)
    eyes = p.disc(0.1, 0.18, 0.03, 0.05) | p.disc(0.24, 0.18, 0.03, 0.05)
    return paint_over(colour, (muzzle, "#f0b3a6"), (hooves | eyes, INK))


def bodywork(p):
    glazing = p.within(0.3, 0.1, 0.48, 0.38) | p.within(0.53, 0.1, 0.73, 0.38)
    tyres = p.disc(0.24, 0.8, 0.13, 0.21) | p.disc(0.76, 0.8, 0.13, 0.21)
    hubs = p.disc(0.24, 0.8, 0.06, 0.1) | p.disc(0.76, 0.8, 0.06, 0.1)
    lamp = p.disc(0.98, 0.55, 0.05, 0.08)
    layers = [(p.v > 0.62) & (p.u > -1), glazing, lamp, tyres, hubs]
    return paint_over(
        flat(p), *zip(layers, (p.b, "#bfe3f2", "#ffe27a", INK, "#d8d8d8"), strict=True)
    )


def bands(p):
    dome, room = (p.v < 0.1) & (p.u > -1), p.within(0.3, 0.1, 0.7, 0.22)
    stripe = ((p.v - 0.26) * 5.4 % 1 < 0.5) & (p.v > 0.26) & (p.u > -1)
    return paint_over(flat(p), (stripe, p.b), (dome, p.b), (room, "#ffe27a"))


def snow(p):
    coal = [(0.42, 0.22), (0.58, 0.22), (0.5, 0.4), (0.5, 0.5), (0.5, 0.66), (0.5, 0.78)]
    buttons = np.logical_or.reduce([p.disc(x, y, 0.045, 0.026) for x, y in coal])
    scarf, hat = p.within(0.28, 0.325, 0.72, 0.365), (p.v < 0.17) & (p.u > -1)
    nose = p.within(0.5, 0.25, 0.68, 0.275)
    colour = mix(p.a, p.b, 0.9 * (p.u - 0.3) + 0 * p.v)
    paints = (INK, INK, "#d8433b", "#f08a2c")
    return paint_over(colour, *zip((buttons, hat, scarf, nose), paints, strict=True))


def ribs(p):
    rib = np.cos(np.arcsin(np.clip((p.u - 0.5) * 2, -1, 1)) * 6)
    return paint_over(
        mix(p.a, p.b, 0.5 - 0.6 * rib + 0 * p.v), ((p.v < 0.17) & (p.u > -1), "#4c7a34")
    )


def millstone(p):
    body = (np.abs(p.u - 0.5) < 0.1 + 0.15 * p.v) & (p.v > 0.31)
    openings = p.within(0.43, 0.76, 0.57, 1) | p.within(0.46, 0.46, 0.54, 0.56)
    layers = ((body, p.a), ((p.v < 0.31) & p.disc(0.5, 0.31, 0.17, 0.1), "#9c4a3a"))
    colour = mix(p.b, "#6b4428", (p.noise(0.02, 0.02) > 0.5) * 0.5)
    return paint_over(colour, *layers, (openings, "#6b4428"), (p.disc(0.5, 0.31, 0.045, 0.03), INK))


def awning(p):
    stripe = ((p.u - 0.5) / np.maximum(p.v, 0.05) * 5 + 0.5) % 2 < 1
    opening = np.abs(p.u - 0.5) < 0.3 * (p.v - 0.35)
    return paint_over(flat(p), (stripe, p.b), (opening, "#5a4030"))


# === The kinds ===


@dataclass(frozen=True)
class Kind:
    """How one category looks.

    Attributes:
        shape: `rng -> [polygon]`, float (n, 2), in the unit box.
        texture: `Patch -> colour`, float32 (3, h, w).
        schemes: colour pairs to choose from, so that one label map has several right photographs.
        meaning, synset: what LVIS calls `def` and `synset`.
        form: how the mask is written: "polygon", "rle" (compressed) or "counts" (uncompressed).
        ink: darkness of the outline in [0, 1]; 0 for soft things.
        stands: whether it throws a shadow on the meadow.
    """

    shape: Callable
    texture: Callable
    schemes: tuple
    meaning: str
    synset: str
    form: str = "polygon"
    ink: float = 0.35
    stands: bool = False


def _kind(shape, texture, schemes, meaning, synset, **options):
    pairs = tuple(tuple(pair.split()) for pair in schemes.split(" | "))
    return Kind(shape, texture, pairs, meaning, synset, **options)


_ground = partial(_kind, stands=True)
_soft = partial(_kind, ink=0.0)

# fmt: off
KINDS = {
    "balloon": _kind(AIRSHIP, envelope,
        "#d9433f #f7e3b0 | #3f6fc4 #f6d65a | #7a4fb0 #f2a7c3 | #2f9c8a #f5f0e0",
        "a large bag of hot air that carries people in a basket", "balloon.n.01",
        form="counts"),
    "bird": _kind(SWALLOW, whitewash, "#27334f #3c4d78",
        "a feathered animal, here in flight", "bird.n.01"),
    "boat": _kind(HULL, planks, "#a5522d #7a3a20 | #b0413a #7d2a2a",
        "a small vessel for use on water", "boat.n.01"),
    "bush": _ground(partial(crown, lobes=8, floor=0.82), leaves,
        "#b3c94a #7b9a2c | #a5c052 #6d9036",
        "a low plant with many woody stems", "shrub.n.01"),
    "car": _ground(CAR, bodywork,
        "#e8b52c #c08a1c | #d8433b #a52c2c | #3f8fc9 #2b6798 | #f0ece0 #c9c2b2",
        "a motor vehicle with four wheels", "car.n.01"),
    "chimney": _kind(BOX, brick, "#8c4a3c #713a30",
        "a pipe of brick that leads smoke out of a house", "chimney.n.01"),
    "cloud": _soft(cloud, fluff, "#ffffff #cfdcea | #ffffff #e6d6dd",
        "a white mass of tiny water drops in the sky", "cloud.n.02"),
    "cow": _ground(COW, patches, "#fbf7f0 #3b2f2c | #fbf7f0 #8a4f2c",
        "a large farm animal kept for milk", "cow.n.01"),
    "door": _kind(DOOR, boards, "#2f7d74 #24635c | #8a3f5c #6d3049",
        "the part of a wall that opens to let people in", "door.n.01"),
    "fence": _ground(pickets, whitewash, "#fdf8ee #ddd0bb",
        "a row of pales that encloses a piece of land", "fence.n.01"),
    "fir": _ground(fir, needles, "#2f7058 #184637 | #2a6660 #163f40",
        "an evergreen tree with needles", "fir.n.02"),
    "flower": _kind(bloom, petals,
        "#ec5f8f #ffd94a | #f7f2ff #f5b92e | #a25fd0 #ffe27a | #f0643c #5c3520",
        "a plant grown for its blossom", "flower.n.01", ink=0.2),
    "haystack": _ground(HAYSTACK, straw, "#f0c95a #c08f2e | #e6b84e #b07f2a",
        "a heap of dried grass", "haystack.n.01", form="rle"),
    "house": _ground(BOX, brick, "#e0a877 #cd8c5e | #dcb48e #c79a70",
        "a building in which people live", "house.n.01"),
    "kite": _kind(KITE, quarters, "#e8433f #ffd23f | #2f7fd0 #f4f0e6 | #e86fb0 #5cc9c0",
        "a light frame flown in the wind on a string", "kite.n.03"),
    "lake": _soft(blob, ripples, "#7cc0e4 #3f86c4 | #6cc4d8 #357fae",
        "water with land all round it", "lake.n.01"),
    "lighthouse": _ground(LIGHTHOUSE, bands, "#fbf7f0 #d23c3c",
        "a tower whose light guides ships", "beacon.n.03"),
    "moon": _soft(crescent, craters, "#fdf6cf #efe0a2",
        "the body that shines in the sky at night", "moon.n.01", form="counts"),
    "mushroom": _ground(MUSHROOM, toadstool, "#d8342f #f6ead2 | #c4402c #f3e4c8",
        "a toadstool with a spotted cap", "toadstool.n.01", form="rle"),
    "pumpkin": _ground(PUMPKIN, ribs, "#f5922e #cf6417",
        "a large round orange fruit", "pumpkin.n.02", form="rle"),
    "rainbow": _soft(arch, spectrum, "#e0524d #8a63c0",
        "an arch of colours seen after rain", "rainbow.n.01"),
    "road": _kind(band, asphalt, "#6a6770 #55525c | #5f5c68 #4b4954",
        "a way made for cars", "road.n.01", ink=0.2),
    "rock": _ground(stone, granite, "#b9b6b4 #7b7a80 | #aeb4ba #70777f",
        "a large piece of stone", "boulder.n.01", form="counts"),
    "roof": _kind(gable, tiles, "#d2483c #98292a | #cf7338 #98481f | #b8474f #7f2a3a",
        "the cover on top of a house", "roof.n.01"),
    "sail": _kind(SAIL, canvas_stripes, "#fffaf0 #e0504a | #fffaf0 #3f7fc9 | #fff3c4 #e8943a",
        "cloth by which the wind drives a boat", "sail.n.01"),
    "sheep": _ground(woolly, wool, "#fffdf6 #d9cfc0",
        "a woolly farm animal", "sheep.n.01", ink=0.25),
    "snowman": _ground(SNOWMAN, snow, "#ffffff #c8dcf0",
        "a figure built of balls of snow", "snowman.n.01", form="counts"),
    "sun": _soft(sunburst, glow, "#fff08a #fbb42c | #fff3a0 #fcc63e",
        "the star that gives us light", "sun.n.01", form="rle"),
    "tent": _ground(TENT, awning, "#e8604c #fbeecb | #3f9ca8 #fbeecb",
        "a shelter of cloth", "tent.n.01"),
    "tree": _kind(partial(crown, lobes=9), leaves,
        "#6cb544 #2f7a34 | #7fb83c #437f2c | #55a654 #26703f",
        "the leafy crown of a tree", "tree.n.01"),
    "trunk": _ground(TRUNK, bark, "#8f5f3a #5c3a22 | #7f5638 #523522",
        "the main stem of a tree", "trunk.n.01"),
    "windmill": _ground(mill, millstone, "#efe2c8 #f8f1e2",
        "a mill that is turned by the wind", "windmill.n.01"),
    "window": _kind(BOX, glass, "#6fb7e8 #3f7fc0",
        "an opening in a wall, closed with glass", "window.n.01"),
}
# fmt: on
