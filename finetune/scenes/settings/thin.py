"""Drafts thin and broken things: a black stem in front of a person, a wind wheel with gaps between its blades."""

from __future__ import annotations

import math

from ..draft import Draft
from ..objects.furniture import draw_cabinet, draw_shelf
from ..objects.living import draw_person, draw_plant
from ..textures.materials import Palette, hsv
from .shell import Room
from .stage import OTHER, SUBJECT, build_stage, see


def draft_stem(d: Draft) -> None:
    """Draw a person (SUBJECT) in a room, and a black stem (OTHER) in front, which hides a strip of the person."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(3.5, 5), r.uniform(4.5, 5.5), r.uniform(2.5, 2.9))
    build_stage(d, p, room)
    _background(d, p, room)
    x, y, eye_y = r.uniform(-0.3, 0.3), r.uniform(2.9, 3.3), 0.5
    d.thing = SUBJECT
    with d.at(x, y, 0, yaw=r.gauss(0, 0.3), same=True):
        draw_person(d, p)
    near = y - r.uniform(0.95, 1.2)
    across = (x + r.uniform(-0.1, 0.1)) * (near - eye_y) / (y - eye_y)
    thick, black = r.uniform(0.01, 0.016), p.even((0.008, 0.008, 0.008), gloss=0.1)
    d.thing = OTHER
    d.tube(across, near, 0, 0.12, 0.02, black)
    d.bar((across, near, 0.02), (across + r.gauss(0, 0.04), near, r.uniform(1.75, 2.0)), thick, black)
    see(d, (0.0, eye_y, r.uniform(1.2, 1.5)), (x, y, 1.05), 56)


def draft_wheel(d: Draft) -> None:
    """Draw a wind wheel (blades SUBJECT, pole and hub OTHER) far in front of a wall, seen through its gaps."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(4.5, 6), r.uniform(5.5, 7), r.uniform(2.6, 3.0))
    build_stage(d, p, room)
    _background(d, p, room)
    x, y, z = r.uniform(-0.25, 0.25), r.uniform(1.9, 2.3), r.uniform(1.25, 1.45)
    reach, blades, turn = r.uniform(0.42, 0.52), r.choice((5, 6, 7)), r.uniform(0, math.pi)
    wide = 0.42 * math.pi * reach / blades / 2  # blades cover a bit less than half of the circle at half the reach
    hue = r.random()
    paper = [p.even(hsv(hue + 0.4 * k, 0.85, 0.6)) for k in range(2)]
    with d.at(x, y, z, yaw=r.gauss(0, 0.12), same=True):
        d.thing = OTHER
        d.ball(0, -0.03, 0, 0.035, 0.035, 0.035, p.plastic())
        d.bar((0, 0.03, 0), (0, 0.03, -z), 0.012, p.wood())
        d.thing = SUBJECT
        for k in range(blades):
            at = turn + 2 * math.pi * k / blades
            end = (reach * math.cos(at), 0.0, reach * math.sin(at))
            d.limb((0, 0, 0), end, wide, paper[k % 2], bulge=0.06 / 2 / wide / 2)
    see(d, (0.0, 0.5, r.uniform(1.3, 1.5)), (x, y, z - 0.1), 52)


def _background(d: Draft, p: Palette, room: Room) -> None:
    """Draw furniture along the back wall."""
    r, side = d.rng, d.rng.choice((-1, 1))
    with d.at(side * (room.w / 2 - 0.7), room.deep - 0.3, 0):
        draw_shelf(d, p, r.uniform(0.8, 1.2), 0.35)
    with d.at(-side * (room.w / 2 - 0.8), room.deep - 0.35, 0):
        draw_cabinet(d, p, r.uniform(0.8, 1.3), 0.5)
    with d.at(-side * (room.w / 2 - 0.5), room.deep * 0.7, 0):
        draw_plant(d, p, height=r.uniform(0.7, 1.2))
