"""Draws buildings, towers and fences on the ground, front to -y."""

from __future__ import annotations

import math

from ..draft import Draft
from ..textures.materials import Palette
from .art import hang_art


def draw_tower(d: Draft, p: Palette, tall: float) -> None:
    """Draw a rocket, chimney, silo or lattice mast."""
    r, body = d.rng, p.plastic() if d.rng.random() < 0.6 else p.any()
    thick = tall * r.uniform(0.03, 0.09)
    d.box(0, 0, 0, thick * 6, thick * 6, thick * 0.4, p.asphalt())
    d.tube(0, 0, thick * 0.6, thick, tall * 0.7, body, top=thick * r.uniform(0.6, 1))
    d.tube(0, 0, tall * 0.7 + thick * 0.6, thick, tall * 0.2, p.plastic(), top=0.02 * thick, bulge=r.uniform(0, 0.3))
    for k in range(r.randint(0, 4)):
        turn = k * math.pi / 2
        d.tube(
            math.cos(turn) * thick * 1.5,
            math.sin(turn) * thick * 1.5,
            thick * 0.5,
            thick * 0.5,
            tall * r.uniform(0.2, 0.5),
            p.plastic(),
            top=thick * 0.2,
        )
    x = thick * r.uniform(2.5, 4)
    for k in range(8):
        d.box(x, 0, tall * k / 9, thick * 1.2, thick * 1.2, thick * 0.15, p.metal())
    for sx in (-0.5, 0.5):
        for sy in (-0.5, 0.5):
            d.box(x + sx * thick, sy * thick, 0, thick * 0.15, thick * 0.15, tall * 0.95, p.metal())


def draw_house(d: Draft, p: Palette, w: float, deep: float, high: float) -> None:
    """Draw a building with a flat, gabled or stepped top, a door, balconies and sometimes a sign."""
    r = d.rng
    wall = p.facade() if r.random() < 0.9 else p.paint()
    d.box(0, 0, 0, w, deep, high, wall)
    style = r.random()
    if style < 0.45:
        roof = p.make(r.choice(("tiles", "brick", "wood")), p.colour(0.05, 0.3), p.colour(0.03, 0.25), tile_m=2)
        rise = deep * r.uniform(0.25, 0.5)
        for side in (-1, 1):
            with d.at(0, side * deep / 4, high + rise / 2, lean=-side * math.atan2(rise, deep / 2), same=True):
                d.box(0, 0, -0.1, w + 0.6, math.hypot(rise, deep / 2) + 0.5, 0.2, roof)
        d.box(w * r.uniform(-0.4, 0.4), 0, high, 0.7, 0.7, rise + 1, wall)
        d.box(0, 0, high, w * 0.98, deep * 0.4, rise * 0.55, wall)
    elif style < 0.8:
        d.box(0, 0, high, w + 0.4, deep + 0.4, 0.35, p.paint())
    else:
        d.box(w * r.uniform(-0.2, 0.2), 0, high, w * 0.6, deep * 0.6, high * r.uniform(0.2, 0.5), wall)
    d.box(w * r.uniform(-0.35, 0.35), -deep / 2, 0, 1.1, 0.12, 2.1, p.wood())
    if r.random() < 0.4:
        wide = min(w * 0.5, 3.0)
        with d.at(w * r.uniform(-0.2, 0.2), -deep / 2 - 0.1, 2.6, same=True):
            hang_art(d, p, wide, wide * r.uniform(0.2, 0.6))
    for _ in range(r.randint(0, 3)):
        d.box(w * r.uniform(-0.4, 0.4), -deep / 2 - 0.4, r.uniform(2.6, max(2.7, high)), 1.8, 0.9, 0.9, p.metal())


def draw_fence(d: Draft, p: Palette, y: float) -> None:
    """Draw a wooden fence along x, y metres ahead."""
    r, wood = d.rng, p.wood()
    high = r.uniform(0.8, 1.6)
    with d.at(0, y, 0, yaw=r.gauss(0, 0.3)):
        for k in range(-8, 9):
            d.box(k * 1.8, 0, 0, 0.1, 0.1, high, wood)
        for up in (0.4, 0.85):
            d.box(0, -0.04, high * up, 30, 0.03, 0.12, wood)
