"""Drafts flat things that show more than they are: a mirror, a painting, a floor of tiles."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..objects.furniture import draw_cabinet, draw_chair, draw_crates, draw_shelf, draw_sofa
from ..objects.living import draw_person, draw_plant
from ..textures.materials import Material, Palette
from ..textures.textures import RENDERED_SLOTS
from .shell import Room
from .stage import OTHER, SUBJECT, build_stage, see

_THIN_M = 0.002  # of a mirror or picture in front of its wall, so that its depth is the wall's


def draft_mirror(d: Draft) -> None:
    """Draw a wall (SURFACE) with a framed mirror (SUBJECT, frame OTHER) that shows the room in front of it."""
    p = Palette(d.rng)
    room = _room(d)
    build_stage(d, p, room, apart="back")
    _furnish(d, p, room)
    _hang(d, p, room, lambda w, h: p.mirror())


def draft_painting(d: Draft) -> None:
    """Draw a wall (SURFACE) with a framed picture (SUBJECT, frame OTHER) of a scene with depth."""
    r, p = d.rng, Palette(d.rng)
    room = _room(d)
    build_stage(d, p, room, apart="back")
    _furnish(d, p, room)
    slot = float(r.choice(RENDERED_SLOTS))
    _hang(d, p, room, lambda w, h: (slot, *p.picture(w, h)[1:]))


def draft_tiles(d: Draft) -> None:
    """Draw a floor (SURFACE) of light and dark tiles with a few things on it, seen from a tilted camera."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(4, 6), r.uniform(6, 8), 2.8)
    dark, light = p.colour(0.02, 0.08), p.colour(0.6, 0.85)
    kind = r.choice(("checker", "checker", "tiles"))
    floor = p.make(kind, dark, light, tile_m=r.uniform(1.4, 2.4), stain=0.1, gloss=r.choice((0.0, 0.3)))
    build_stage(d, p, room, floor=floor, apart="floor")
    for side in (-1, 1):
        with d.at(side * r.uniform(1.2, 1.6), r.uniform(3.6, 5.0), 0, yaw=r.uniform(0, 6)):
            r.choice((draw_crates, draw_chair))(d, p, 0.5, 0.5)
    with d.at(0, room.deep - 0.5, 0):
        draw_sofa(d, p, 2.0, 0.9)
    see(d, (r.uniform(-0.4, 0.4), 0.5, r.uniform(1.3, 1.6)), (0.0, 3.2, 0.25), 64)
    d.eye.roll_rad = r.choice((-1, 1)) * r.uniform(0.1, 0.2)


def _room(d: Draft) -> Room:
    r = d.rng
    return Room(r.uniform(3.6, 4.8), r.uniform(4.6, 5.6), r.uniform(2.5, 2.9))


def _hang(d: Draft, p: Palette, room: Room, material: Callable[[float, float], Material]) -> None:
    """Hang a framed mirror or picture at the middle of the back wall, and look at it from the side."""
    r = d.rng
    w, h = r.uniform(1.0, 1.4), r.uniform(0.9, 1.2)
    x, z = r.uniform(-0.2, 0.2), r.uniform(0.9, 1.1)
    size, frame = r.uniform(0.04, 0.07), p.wood()
    with d.at(x, room.deep, z, same=True):
        d.thing = OTHER
        for side in (-1, 1):
            d.box(side * (w + size) / 2, -0.015, -size, size, 0.03, h + 2 * size, frame)
        d.box(0, -0.015, -size, w, 0.03, size, frame)
        d.box(0, -0.015, h, w, 0.03, size, frame)
        d.thing = SUBJECT
        d.box(0, 0, 0, w, 2 * _THIN_M, h, material(w, h))
    at = (r.choice((-1, 1)) * r.uniform(0.3, 0.8), room.deep - r.uniform(1.9, 2.4), r.uniform(1.3, 1.6))
    see(d, at, (x, room.deep, z + h / 2 - 0.15), 62)


def _furnish(d: Draft, p: Palette, room: Room) -> None:
    """Draw things along the sides and behind the camera, where the mirror shows them."""
    r, side = d.rng, d.rng.choice((-1, 1))
    with d.at(side * (room.w / 2 - 0.4), room.deep - 0.5, 0):
        draw_plant(d, p, height=r.uniform(0.9, 1.4))
    with d.at(-side * (room.w / 2 - 0.5), room.deep - 0.35, 0):
        draw_cabinet(d, p, 0.7, 0.5)
    with d.at(side * 0.8, 0.35, 0, yaw=3.1416):
        draw_shelf(d, p, 1.2, 0.35)
    with d.at(-side * 0.7, 0.9, 0, yaw=3.1416 + r.gauss(0, 0.4)):
        draw_person(d, p)
