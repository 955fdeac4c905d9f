"""Drafts close-ups: table tops from above, portraits of people and animals, corners of rooms with objects."""

from __future__ import annotations

import math

from ..draft import Draft, Eye, look_at
from ..objects.furniture import draw_crates
from ..objects.houses import draw_house
from ..objects.living import draw_animal, draw_bush, draw_person, draw_plant, draw_tree
from ..objects.things import SMALL, draw_cup, scatter
from ..objects.vehicles import draw_motorcycle
from ..textures.materials import Palette
from .lights import light_outdoors, light_room
from .rooms import furnish
from .shell import Room, Window, build_shell


def draft_tabletop(d: Draft) -> None:
    """Draw a table with things on it, which fills most of the image."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(3, 6), r.uniform(3, 7), r.uniform(2.3, 3.2))
    holes = build_shell(d, p, room)
    high, w, deep = r.uniform(0.4, 0.95), r.uniform(0.5, 2.2), r.uniform(0.5, 1.2)
    x, y = r.uniform(-0.2, 0.2) * room.w, r.uniform(0.4, 0.7) * room.deep
    furnish(d, p, room, r.randint(0, 4), keep_free=(x, y - 0.4, 0.0))
    with d.at(x, y, 0, yaw=r.gauss(0, 0.4)):
        top = r.choice((p.wood, p.wood, p.cloth, p.plastic, p.floor))()
        d.box(0, 0, high - 0.05, w, deep, 0.05, top)
        d.box(0, 0, 0, w * 0.5, deep * 0.5, high - 0.05, p.wood())
        if r.random() < 0.4:
            d.box(r.uniform(-0.3, 0.3) * w, 0, high, r.uniform(0.25, 0.5), r.uniform(0.2, 0.4), 0.004, p.cloth())
        with d.at(r.gauss(0, 0.05), r.gauss(0, 0.05), high, yaw=r.uniform(0, 6.3), scale=r.uniform(0.9, 1.4)):
            (draw_cup if r.random() < 0.3 else r.choice(SMALL))(d, p)
        scatter(d, p, w * 0.8, deep * 0.8, high, r.randint(0, 9))
    near, tilt, turn = r.uniform(0.28, 1.1), math.radians(r.triangular(8, 88, 35)), r.gauss(0, 0.5)
    out = near * math.cos(tilt)
    at = (x + out * math.sin(turn), y - out * math.cos(turn), high + 0.03 + near * math.sin(tilt))
    eye = look_at(Eye(at), (x + r.gauss(0, 0.05), y + r.gauss(0, 0.05), high + 0.04))
    d.eye = _finished(d, eye)
    light_room(d, room, holes)


def draft_portrait(d: Draft) -> None:
    """Draw a person or animal near the camera, in a room or outdoors."""
    r, p = d.rng, Palette(d.rng)
    outdoors = r.random() < 0.45
    room = Room(r.uniform(3, 7), r.uniform(3.5, 10), r.uniform(2.3, 3.4))
    x, y = r.uniform(-0.2, 0.2) * room.w, room.deep * r.uniform(0.4, 0.8)
    holes = _open_ground(d, p, y) if outdoors else build_shell(d, p, room)
    fov = math.radians(r.triangular(30, 80, 50))
    with d.at(x, y, 0, yaw=r.gauss(0, 0.5)):
        low, high, reach = _sitter(d, p)
    frame = high - low
    near = max(frame * r.uniform(0.55, 1.0) / math.tan(fov / 2), reach + 0.25)
    turn, rise = r.gauss(0, 0.3), r.gauss(0.1, 0.25)
    look = (x, y, (low + high) / 2)
    at = (x + near * math.sin(turn), y - near * math.cos(turn), max(look[2] + near * math.sin(rise), 0.1))
    if not outdoors:
        furnish(d, p, room, r.randint(0, 8), keep_free=((x + at[0]) / 2, (y + at[1]) / 2, 0.0))
    elif r.random() < 0.4:
        with d.at(x + r.choice((-1, 1)) * r.uniform(0.6, 1.5), y + r.uniform(0.3, 3), 0, yaw=r.gauss(0, 0.6)):
            draw_person(d, p)
    if not outdoors:
        at = (min(max(at[0], -room.w / 2 + 0.2), room.w / 2 - 0.2), max(at[1], 0.15), min(at[2], room.high - 0.2))
    d.eye = look_at(Eye(at, fov_rad=fov), look)
    d.eye.yaw_rad += r.gauss(0, 0.12) * fov
    d.eye.roll_rad = r.gauss(0, 0.04)
    if outdoors:
        light_outdoors(d)
    else:
        light_room(d, room, holes)


def _sitter(d: Draft, p: Palette) -> tuple[float, float, float]:
    """Draw the person or animal of a portrait.

    Returns:
        Lowest and highest point that the image should show, and the extent towards the camera, in metres.
    """
    r = d.rng
    if r.random() < 0.3:
        length = r.uniform(0.35, 0.9)
        draw_animal(d, p, length=length)
        return length * r.choice((0.0, 0.4, 0.75)), length * 1.3, length
    sitting = r.random() < 0.3
    if sitting:
        seat = p.cloth()
        d.box(0, 0.1, 0, 0.5, 0.5, 0.42, seat)
        d.box(0, 0.32, 0.42, 0.5, 0.08, 0.5, seat)
    draw_person(d, p, sitting=sitting)
    top = 1.36 if sitting else 1.78
    return top - r.choice((0.4, 0.6, 0.9, top)), top, 0.15 if not sitting else 0.5


def _open_ground(d: Draft, p: Palette, y: float) -> list[Window]:
    """Draw ground and background of a portrait outdoors; there are no windows."""
    r = d.rng
    d.box(0, 0, -1, 600, 600, 1, p.ground() if r.random() < 0.7 else p.asphalt())
    for _ in range(r.randint(2, 10)):
        far = y + 1.5 * 20 ** r.random()
        with d.at(r.uniform(-0.9, 0.9) * far, far, 0, yaw=r.gauss(0, 0.4)):
            if r.random() < 0.3:
                with d.at(0, 9, 0, same=True):
                    draw_house(d, p, r.uniform(5, 20), r.uniform(5, 10), r.uniform(3, 15))
            elif r.random() < 0.5:
                draw_tree(d, p, height=r.uniform(3, 9))
            else:
                draw_bush(d, p, height=r.uniform(0.5, 2))
    return []


def draft_corner(d: Draft) -> None:
    """Draw an object or a group in front of a wall, near the camera: plant, boxes, motorcycle, toys on the floor."""
    r, p = d.rng, Palette(d.rng)
    room = Room(r.uniform(2.5, 6), r.uniform(2.5, 6), r.uniform(2.3, 3.4))
    holes = build_shell(d, p, room)
    x, y = r.uniform(-0.2, 0.2) * room.w, room.deep * r.uniform(0.55, 0.75)
    with d.at(x, y, 0, yaw=r.uniform(0, 6)):
        kind = r.random()
        if kind < 0.2:
            draw_plant(d, p, height=r.uniform(0.4, 1.5))
        elif kind < 0.45:
            draw_motorcycle(d, p)
        elif kind < 0.65:
            draw_crates(d, p, 1, 1)
        else:
            scatter(d, p, 1.0, 1.0, 0.0, r.randint(3, 10))
    furnish(d, p, room, r.randint(0, 5), keep_free=(x, y - 0.5, 0.0))
    near, tilt, turn = r.uniform(0.8, 2.2), math.radians(r.uniform(5, 70)), r.gauss(0, 0.3)
    out = near * math.cos(tilt)
    at = (x + out * math.sin(turn), max(y - out * math.cos(turn), 0.15), 0.2 + near * math.sin(tilt))
    d.eye = _finished(d, look_at(Eye(at), (x, y, r.uniform(0.1, 0.5))))
    light_room(d, room, holes)


def _finished(d: Draft, eye: Eye) -> Eye:
    """Set angle of view and roll, and move the subject away from the middle of the image."""
    r = d.rng
    eye.fov_rad = math.radians(r.triangular(35, 95, 55))
    eye.yaw_rad += r.gauss(0, 0.1) * eye.fov_rad
    eye.pitch_rad += r.gauss(0, 0.1) * eye.fov_rad
    eye.roll_rad = r.gauss(0, 0.05)
    return eye
