"""Draws cars, vans, buses and motorcycles on the ground at the frame's origin."""

from __future__ import annotations

import math

from ..draft import Draft
from ..textures.materials import Palette, hsv


def draw_vehicle(d: Draft, p: Palette) -> None:
    """Draw a car, van, bus or lorry along y, front to -y."""
    r = d.rng
    body, glass, tyre = (
        p.plastic(),
        p.even(hsv(0.58, 0.3, r.uniform(0.02, 0.15)), gloss=1.0),
        p.even((0.02, 0.02, 0.02)),
    )
    kind = r.random()
    w = r.uniform(1.65, 1.9) if kind < 0.8 else r.uniform(2.1, 2.5)
    long = r.uniform(3.6, 4.9) if kind < 0.8 else r.uniform(6, 11)
    radius = 0.32 if kind < 0.8 else 0.48
    if kind < 0.6:
        d.box(0, 0, 0.28, w, long, 0.5, body)
        d.ball(0, 0.0, 0.62, w * 0.5, long * 0.5, 0.32, body)
        d.ball(0, long * 0.06, 0.85, w * 0.45, long * 0.33, 0.58, body)
        d.ball(0, long * 0.06, 0.9, w * 0.462, long * 0.30, 0.46, glass)
        d.ball(0, long * 0.06, 0.89, w * 0.40, long * 0.337, 0.45, glass)
        d.box(0, long * 0.06, 0.8, w * 0.93, 0.1, 0.55, body)
    else:
        high = r.uniform(1.6, 2.1) if kind < 0.8 else r.uniform(2.5, 3.4)
        d.box(0, 0, 0.35, w, long, high - 0.35, body)
        d.box(0, -long / 2, high * 0.55, w * 0.88, 0.03, high * 0.35, glass)
        for side in (-1, 1):
            d.box(
                side * w / 2,
                long * r.uniform(-0.1, 0.1),
                high * 0.6,
                0.03,
                long * r.uniform(0.3, 0.85),
                high * 0.28,
                glass,
            )
        if r.random() < 0.5:
            d.box(w * 0.503, 0, high * 0.25, 0.02, long * 0.6, high * 0.3, p.any())
    for x in (-1, 1):
        for y in (-0.32, 0.32):
            with d.at(x * (w / 2 - 0.08), y * long, radius, yaw=math.pi / 2, lean=math.pi / 2, same=True):
                d.tube(0, 0, -0.11, radius, 0.22, tyre)
                d.tube(0, 0, -0.12, radius * 0.6, 0.24, p.metal())
        d.ball(x * w * 0.36, -long / 2 + 0.02, 0.62, 0.14, 0.06, 0.08, p.lamp(0.3))
        d.box(x * w * 0.38, long / 2, 0.6, 0.22, 0.02, 0.12, p.even((0.5, 0.02, 0.02), gloss=0.5))
    d.box(0, -long / 2 - 0.01, 0.4, 0.5, 0.02, 0.11, p.make("text", (0.8, 0.8, 0.7), (0.05, 0.05, 0.05), tile_m=0.5))


def draw_motorcycle(d: Draft, p: Palette) -> None:
    """Draw a motorcycle or bicycle along x."""
    r = d.rng
    tyre, metal, body = p.even((0.02, 0.02, 0.02)), p.metal(), p.plastic()
    radius, heavy = r.uniform(0.28, 0.36), r.random() < 0.6
    for x in (-0.65, 0.65):
        with d.at(x, 0, radius, lean=math.pi / 2, same=True):
            wide = 0.12 if heavy else 0.04
            d.tube(0, 0, -wide / 2, radius, wide, tyre, bulge=0.06)
            d.tube(0, 0, -wide / 2 - 0.002, radius * 0.72, wide + 0.004, metal)
            d.tube(0, 0, -wide / 2 - 0.02, radius * 0.2, wide + 0.04, tyre)
    head, seat, crank = (0.38, 0.0, 0.85), (-0.3, 0.0, 0.75), (-0.05, 0.0, 0.3)
    for start, end in (
        ((0.65, 0, radius), head),
        (head, seat),
        (seat, crank),
        (crank, head),
        (crank, (-0.65, 0, radius)),
    ):
        for y in (-0.07, 0.07) if heavy else (0.0,):
            d.bar((start[0], y, start[2]), (end[0], y, end[2]), 0.022, metal)
    d.bar((0.33, -0.35, 1.0), (0.36, 0.35, 1.0), 0.015, metal)
    d.bar(head, (0.35, 0, 1.0), 0.02, metal)
    d.limb((-0.62, 0, 0.8), (0.0, 0, 0.78), 0.13 if heavy else 0.07, p.plastic(), bulge=0.6)
    if heavy:
        d.limb((-0.12, 0, 0.83), (0.45, 0, 0.85), 0.16, body, bulge=0.9)
        for k in range(3):
            d.box(-0.02, 0, 0.32 + 0.1 * k, 0.4 - 0.05 * k, 0.28, 0.09, metal)
        d.bar((0.1, 0.16, 0.32), (-0.75, 0.18, 0.35), 0.045, metal, top=0.06)
        d.ball(0.5, 0, 0.86, 0.1, 0.09, 0.09, metal)
