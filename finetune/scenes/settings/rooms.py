"""Drafts rooms: shell, furniture, people, art, mirrors and light."""

from __future__ import annotations

import math

from ..draft import Draft, Eye, look_at
from ..frames import Vector
from ..objects.furniture import FURNITURE
from ..textures.materials import Palette
from .lights import light_room
from .shell import Room, build_shell

_CLEAR_M = 0.55  # half side of the square around the camera that has no furniture


def draft_room(d: Draft) -> None:
    """Draw a furnished room, a corridor or a hall, with a camera in it."""
    r, p = d.rng, Palette(d.rng)
    kind = r.random()
    if kind < 0.12:
        room = Room(r.uniform(1.4, 2.4), r.uniform(6, 16), r.uniform(2.2, 3.2))  # a corridor
    elif kind < 0.22:
        room = Room(r.uniform(8, 16), r.uniform(8, 22), r.uniform(3, 6))  # a hall
    else:
        room = Room(r.uniform(2.4, 6.5), r.uniform(2.6, 7.5), r.uniform(2.2, 3.3))
    eye = _eye(d, room)
    d.eye = eye
    holes = build_shell(d, p, room)
    area = room.w * room.deep
    wanted = 0 if r.random() < 0.06 else round(min(4 + area * r.uniform(0.1, 0.5), 14))
    furnish(d, p, room, wanted, keep_free=eye.position)
    _hang_lamps(d, p, room)
    light_room(d, room, holes)


def _hang_lamps(d: Draft, p: Palette, room: Room) -> None:
    """Draw lamps on the ceiling: on a cord, flat panels or domes."""
    r, style = d.rng, d.rng.random()
    shade = p.lamp(r.uniform(0.3, 5))
    for _ in range(r.randint(0, 3)):
        x, y = r.uniform(-0.35, 0.35) * room.w, r.uniform(0.2, 0.9) * room.deep
        drop = r.uniform(0.25, 0.4) * room.high
        with d.at(x, y, room.high):
            if style < 0.4:
                d.tube(0, 0, -drop, 0.008, drop, p.metal())
                d.tube(0, 0, -drop - 0.15, r.uniform(0.12, 0.3), 0.2, shade, top=0.06)
            elif style < 0.7:
                d.box(0, 0, -0.04, 0.6, 1.2, 0.04, shade)
            else:
                d.ball(0, 0, -0.02, 0.18, 0.18, 0.1, shade)


def _eye(d: Draft, room: Room) -> Eye:
    """Return a camera near the front of the room that looks towards the back."""
    r = d.rng
    x = r.uniform(-0.5, 0.5) * (room.w - 0.8)
    y = r.uniform(0.25, 0.4 * room.deep)
    high = r.choice((r.uniform(1.2, 1.75), r.uniform(0.3, 1.2), r.uniform(1.6, room.high - 0.3)))
    target = (r.uniform(-0.4, 0.4) * room.w, room.deep * r.uniform(0.6, 1.0), r.uniform(0.2, 1.6))
    eye = look_at(Eye((x, y, high)), target)
    eye.pitch_rad += r.gauss(0, 0.12) if r.random() < 0.9 else r.choice((-0.6, 0.45))
    eye.roll_rad = r.gauss(0, 0.03) if r.random() < 0.7 else r.gauss(0, 0.12)
    eye.fov_rad = math.radians(r.triangular(38, 100, 68))
    return eye


def furnish(d: Draft, p: Palette, room: Room, wanted: int, *, keep_free: Vector) -> None:
    """Place up to `wanted` pieces of furniture without overlap, and none around the point `keep_free`."""
    r = d.rng
    taken: list[tuple[float, float, float, float]] = []
    weights = [row[-1] for row in FURNITURE]
    if r.random() < 0.35:
        d.thing += 1
        w, deep = room.w * r.uniform(0.3, 0.7), room.deep * r.uniform(0.3, 0.7)
        d.box(r.uniform(-0.1, 0.1) * room.w, room.deep / 2, 0, w, deep, 0.008, p.cloth())
    for _ in range(wanted * 2):
        if len(taken) >= wanted:
            break
        furnish_one, w0, w1, d0, d1, walled, _ = r.choices(FURNITURE, weights)[0]
        w, deep = r.uniform(w0, w1), r.uniform(d0, d1)
        x, y, yaw = _spot(d, room, deep, walled)
        if yaw % math.pi > 0.7 and yaw % math.pi < 2.4:
            reach_x, reach_y = deep / 2, w / 2
        else:
            reach_x, reach_y = w / 2, deep / 2
        if abs(x) + reach_x > room.w / 2 + 0.02 or not y - reach_y + 0.05 > 0.02 or y + reach_y > room.deep + 0.02:
            continue
        if _meets(taken, x, y, reach_x, reach_y) or _meets(
            [(*keep_free[:2], _CLEAR_M, _CLEAR_M)], x, y, reach_x, reach_y
        ):
            continue
        taken.append((x, y, reach_x, reach_y))
        with d.at(x, y, 0, yaw=yaw):
            furnish_one(d, p, w, deep)


def _spot(d: Draft, room: Room, deep: float, walled: bool) -> tuple[float, float, float]:
    """Return a random (x, y, yaw): with the back to a wall if `walled`, else anywhere."""
    r = d.rng
    if not walled:
        return (
            r.uniform(-0.5, 0.5) * room.w,
            r.uniform(0.2, 1) * room.deep,
            r.choice((0, 0, math.pi / 2, -math.pi / 2, math.pi)) + r.gauss(0, 0.15),
        )
    side = r.choice((0, 0, 1, 2))
    if side == 0:
        return r.uniform(-0.5, 0.5) * room.w, room.deep - deep / 2 - 0.03, 0.0
    x = room.w / 2 - deep / 2 - 0.03
    return (
        (x, r.uniform(0.1, 1) * room.deep, -math.pi / 2)
        if side == 1
        else (-x, r.uniform(0.1, 1) * room.deep, math.pi / 2)
    )


def _meets(taken: list[tuple[float, float, float, float]], x: float, y: float, rx: float, ry: float) -> bool:
    return any(abs(x - tx) < rx + trx and abs(y - ty) < ry + try_ for tx, ty, trx, try_ in taken)
