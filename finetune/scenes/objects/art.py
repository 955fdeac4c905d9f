"""Mirrors, paintings, posters and screens."""

from __future__ import annotations

import math

from ..draft import Draft
from ..textures.materials import Palette


def hang_art(d: Draft, p: Palette, w: float, h: float) -> None:
    """Draw a mirror, painting, poster or screen, w by h metres, on the wall behind the origin; it faces -y."""
    r = d.rng
    mirror = r.random() < 0.3
    material = p.mirror() if mirror else p.picture(w, h, glow=r.choice((0.0, 0.0, 0.0, 0.0, 1.0)))
    shape = r.random()
    if not mirror and shape < 0.15:
        with d.at(0, 0, h / 2, lean=math.pi / 2, same=True):  # a disc, whose axis is normal to the wall
            d.tube(0, 0, -0.005, h / 2 * 1.06, 0.02, p.wood())
            d.tube(0, 0, 0.012, h / 2, 0.012, p.picture(h, h))
        return
    if shape < 0.75:
        size, frame = r.uniform(0.015, 0.08), p.wood() if r.random() < 0.7 else p.metal()
        thick = r.uniform(0.015, 0.05)
        for side in (-1, 1):
            d.box(side * (w + size) / 2, -thick / 2, -size, size, thick, h + 2 * size, frame)
        d.box(0, -thick / 2, -size, w, thick, size, frame)
        d.box(0, -thick / 2, h, w, thick, size, frame)
    d.box(0, -0.006, 0, w, 0.012, h, material)
