"""Drafts things that are apart: rows of houses, clouds, equal sizes, a thing behind a pillar, a room to be relit."""

from __future__ import annotations

import math

from ..draft import Draft
from ..objects.furniture import draw_cabinet, draw_chair, draw_lamp, draw_shelf, draw_sofa, draw_table
from ..objects.houses import draw_house
from ..objects.living import draw_bush, draw_person, draw_tree
from ..textures.materials import Palette, hsv
from .shell import Room
from .stage import OTHER, SUBJECT, build_stage, light_day, see, vivid

LAYERS = 4  # houses of a distant background, instances SUBJECT, SUBJECT + 1, ...
_NEXT = 1.8  # distance of a layer over that before it


def draft_distant(d: Draft) -> None:
    """Draw a person near the camera, and houses at four distances up to 60 m behind, side by side in the image."""
    r, p = d.rng, Palette(d.rng)
    d.box(0, 300, -1, 1000, 700, 1, p.ground())
    half = math.tan(math.radians(31)) * 0.95
    slot = 2 * half / LAYERS
    places = [-half + slot * (k + 0.5) for k in range(LAYERS)]
    r.shuffle(places)
    for k, place in enumerate(places):
        y = r.uniform(9, 10.5) * _NEXT**k
        d.thing = SUBJECT + k
        wide = 1.08 * slot * y
        with d.at(place * y, y + 0.3 * wide, 0, yaw=r.gauss(0, 0.1), same=True):
            draw_house(d, p, wide, 0.6 * wide, r.uniform(0.22, 0.34) * y + 1.5)
    d.thing = 10
    with d.at(r.uniform(-0.6, 0.6), r.uniform(2.8, 3.5), 0, yaw=r.gauss(0, 0.5)):
        draw_person(d, p)
    light_day(d)
    d.air.haze_per_m = 0.002
    see(d, (0.0, 0.0, r.uniform(1.5, 1.8)), (0.0, 10.0, 1.8), 62)


def draft_clouds(d: Draft) -> None:
    """Draw a low horizon with trees under a sky of clouds with clear outlines."""
    r, p = d.rng, Palette(d.rng)
    d.box(0, 300, -1, 1000, 700, 1, p.ground())
    d.thing = 10
    for _ in range(r.randint(4, 8)):
        y = 5 * 8 ** r.random()
        with d.at(r.uniform(-0.6, 0.6) * y, y, 0):
            draw_tree(d, p, height=r.uniform(2.5, 5)) if r.random() < 0.5 else draw_bush(
                d, p, height=r.uniform(0.6, 1.5)
            )
    light_day(d)
    d.air.clouds = r.uniform(0.31, 0.44)
    d.air.zenith, d.air.horizon, d.air.key = hsv(0.6, 0.9, 0.4), hsv(0.58, 0.6, 0.6), 0.24
    see(d, (0.0, 0.0, r.uniform(1.5, 1.9)), (0.0, 10.0, r.uniform(3.6, 4.4)), 66)


def draft_apparent(d: Draft) -> None:
    """Draw a small near and a large far copy of a thing on a floor, of one size in the image (SUBJECT, OTHER)."""
    r, p = d.rng, Palette(d.rng)
    room = Room(7.0, 9.0, 3.4)
    build_stage(d, p, room)
    material, ball = vivid(p), r.random() < 0.5
    near, ratio, side = r.uniform(1.6, 1.9), r.uniform(1.9, 2.3), r.uniform(0.4, 0.5)
    sign, out = r.choice((-1, 1)), r.uniform(0.27, 0.32)
    for thing, x, y, scale in (
        (SUBJECT, -sign * out * near, near, 1.0),
        (OTHER, sign * out * near * ratio, near * ratio, ratio),
    ):
        d.thing = thing
        with d.at(x, y + 0.5, 0, scale=scale, same=True):
            if ball:
                d.ball(0, 0, side / 2, side / 2, side / 2, side / 2, material)
            else:
                d.box(0, 0, 0, side, side, side, material)
    see(d, (0.0, 0.5, r.uniform(1.1, 1.3)), (0.0, 3.2, 0.55), 64)


def draft_split(d: Draft) -> None:
    """Draw a long thing (SUBJECT) that a pillar (OTHER) in front of it splits into two parts."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(4.5, 5.5), r.uniform(5.5, 6.5), r.uniform(2.6, 3.0))
    build_stage(d, p, room)
    y, long = r.uniform(3.6, 4.2), r.uniform(2.2, 2.8)
    d.thing = SUBJECT
    with d.at(r.uniform(-0.2, 0.2), y, 0, yaw=r.gauss(0, 0.06), same=True):
        if r.random() < 0.5:
            d.box(0, 0, 0, long, 0.5, r.uniform(0.7, 1.0), vivid(p))
        else:
            d.limb((-long / 2, 0, 0.4), (long / 2, 0, 0.4), 0.4, vivid(p))
    d.thing = OTHER
    near, thick = r.uniform(1.7, 2.1), r.uniform(0.13, 0.18)
    if r.random() < 0.5:
        d.tube(r.uniform(-0.12, 0.12), near, 0, thick, room.high, p.paint())
    else:
        d.box(r.uniform(-0.12, 0.12), near, 0, 2 * thick, 2 * thick, room.high, p.paint())
    see(d, (0.0, 0.4, r.uniform(1.3, 1.6)), (0.0, y, 0.7), 60)


def draft_lit(d: Draft) -> None:
    """Draw a furnished room with a person in white light, for pairs of light."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(4, 5), r.uniform(5, 6), r.uniform(2.5, 2.9))
    build_stage(d, p, room)
    side = r.choice((-1, 1))
    for draw, x, y, w, deep in (
        (draw_sofa, side * 0.6, room.deep - 0.6, 1.8, 0.9),
        (draw_shelf, -side * (room.w / 2 - 0.7), room.deep - 0.3, 1.1, 0.35),
        (draw_table, -side * 0.7, 3.4, 1.2, 0.8),
        (draw_cabinet, side * (room.w / 2 - 0.3), 2.9, 0.5, 0.5),
        (draw_lamp, side * 1.4, 4.2, 0.4, 0.4),
        (draw_chair, -side * 1.3, 2.6, 0.5, 0.5),
    ):
        with d.at(x, y, 0, yaw=r.gauss(0, 0.1)):
            draw(d, p, w, deep)
    with d.at(side * 0.4, 2.9, 0, yaw=r.gauss(0, 0.4)):
        draw_person(d, p)
    see(d, (0.0, 0.4, r.uniform(1.3, 1.6)), (0.0, 3.5, 0.9), 66)
