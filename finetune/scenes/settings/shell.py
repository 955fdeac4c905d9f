"""Draws the shell of a room: floor, ceiling, walls with windows and doors, pictures, and the view outside."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..draft import Draft
from ..frames import Vector
from ..objects.art import hang_art
from ..objects.living import draw_person, draw_plant, draw_tree
from ..textures.materials import Material, Palette

WALL_M = 0.15  # thickness


@dataclass(frozen=True, slots=True)
class Room:
    """A room: x in [-w/2, w/2], y in [0, deep], z in [0, high]."""

    w: float
    deep: float
    high: float


@dataclass(frozen=True, slots=True)
class Opening:
    """A hole in a wall, from x0 to x1 along the wall and from z0 to z1 in height."""

    x0: float
    x1: float
    z0: float
    z1: float

    @property
    def middle(self) -> tuple[float, float]:
        """(x, z) of the middle."""
        return (self.x0 + self.x1) / 2, (self.z0 + self.z1) / 2


Window = tuple[Opening, Vector, float]  # opening, its middle in the world, yaw of its wall


def build_shell(d: Draft, p: Palette, room: Room) -> list[Window]:
    """Draw floor, ceiling and walls, and return the windows."""
    r = d.rng
    w, deep, high = room.w, room.deep, room.high
    floor, ceiling, wall = p.floor(), p.ceiling(), p.paint()
    d.thing = 0
    d.box(0, deep / 2, -0.2, w + 8, deep + 8, 0.2, floor)
    d.box(0, deep / 2, high, w + 2, deep + 2, 0.2, ceiling)
    if r.random() < 0.2:
        for k in range(r.randint(2, 5)):
            d.box(0, deep * (k + 0.5) / 5, high - 0.15, w, 0.12, 0.15, p.wood())
    windows: list[Window] = []
    sides = (
        (0.0, deep, 0.0, w),
        (w / 2, deep / 2, -math.pi / 2, deep),
        (-w / 2, deep / 2, math.pi / 2, deep),
        (0.0, 0.0, math.pi, w),
    )
    for index, (x, y, yaw, length) in enumerate(sides):
        material = p.paint() if r.random() < 0.25 else wall
        holes = _holes(d, length, high) if r.random() < 0.6 else []
        with d.at(x, y, 0, yaw=yaw):
            d.thing = 0
            _wall(d, p, length, high, material, holes)
            for hole in holes:
                if hole.z0 > 0:
                    x_mid, z_mid = hole.middle
                    windows.append((hole, d.place(x_mid, WALL_M, z_mid), yaw))
                else:
                    _beyond_door(d, p, hole, high)
            if index < 3:
                _hang(d, p, length, high, holes)
    if windows:
        _outside(d, p, room)
    return windows


def _holes(d: Draft, length: float, high: float) -> list[Opening]:
    """Return windows and doors along a wall, left to right."""
    r = d.rng
    holes: list[Opening] = []
    x = -length / 2 + r.uniform(0.15, 0.8)
    while x < length / 2 - 1.0 and len(holes) < 3:
        if r.random() < 0.3:
            wide = r.uniform(0.75, 1.0)
            holes.append(Opening(x, x + wide, 0.0, min(2.05, high - 0.1)))
        else:
            wide = min(r.uniform(0.6, 2.2), length / 2 - 0.15 - x)
            holes.append(Opening(x, x + wide, r.uniform(0.3, 1.1), min(r.uniform(1.7, 2.3), high - 0.12)))
        x += wide + r.uniform(0.4, 2.0)
    return holes


def _wall(d: Draft, p: Palette, length: float, high: float, material: Material, holes: list[Opening]) -> None:
    """Draw a wall along x with its inner face at y = 0, in pieces around its holes."""
    r, frame = d.rng, p.plastic() if d.rng.random() < 0.6 else p.wood()
    edge = -length / 2 - WALL_M
    for hole in holes:
        _piece(d, edge, hole.x0, 0, high, material)
        _piece(d, hole.x0, hole.x1, 0, hole.z0, material)
        _piece(d, hole.x0, hole.x1, hole.z1, high, material)
        _frame(d, hole, frame)
        edge = hole.x1
    _piece(d, edge, length / 2 + WALL_M, 0, high, material)
    if r.random() < 0.6 and all(hole.z0 > 0 for hole in holes):
        d.box(0, -0.01, 0, length, 0.02, r.uniform(0.06, 0.15), frame)


def _piece(d: Draft, x0: float, x1: float, z0: float, z1: float, material: Material) -> None:
    if x1 - x0 > 1e-3 and z1 - z0 > 1e-3:
        d.box((x0 + x1) / 2, WALL_M / 2, z0, x1 - x0, WALL_M, z1 - z0, material)


def _frame(d: Draft, hole: Opening, material: Material) -> None:
    """Draw the frame of a window or door, with bars and sometimes curtains."""
    r, size = d.rng, d.rng.uniform(0.04, 0.09)
    x, _ = hole.middle
    wide, high = hole.x1 - hole.x0, hole.z1 - hole.z0
    for side in (hole.x0, hole.x1):
        d.box(side, WALL_M / 2, hole.z0, size, WALL_M + 0.04, high, material)
    d.box(x, WALL_M / 2, hole.z1 - size / 2, wide + size, WALL_M + 0.04, size, material)
    if hole.z0 == 0:
        return
    d.window(x, WALL_M / 2, hole.z0, wide, 0.01, high)
    d.box(x, 0, hole.z0 - size, wide + 0.15, 0.3, size * 0.7, material)
    for k in range(1, r.randint(1, 3)):
        d.box(hole.x0 + wide * k / 3, WALL_M / 2, hole.z0, 0.04, 0.05, high, material)
    if r.random() < 0.4:
        d.box(x, WALL_M / 2, hole.z0 + high * r.uniform(0.3, 0.7), wide, 0.05, 0.04, material)
    if r.random() < 0.45:
        cloth, reach = Palette(r).cloth(), r.uniform(0.2, 0.5)
        for side, start in ((-1, hole.x0), (1, hole.x1)):
            for k in range(4):
                d.tube(start + side * (0.1 - reach * k / 4), -0.09, 0.05, 0.06, hole.z1 + 0.1, cloth)


def _beyond_door(d: Draft, p: Palette, hole: Opening, high: float) -> None:
    """Draw the next room behind a doorway, or the door itself."""
    r = d.rng
    x, _ = hole.middle
    if r.random() < 0.45:
        d.box(x, WALL_M * 0.6, 0, hole.x1 - hole.x0, 0.05, hole.z1, p.wood())
        d.ball(hole.x1 - 0.08, WALL_M * 0.6 - 0.06, 1.0, 0.03, 0.03, 0.03, p.metal())
        return
    far, wide, paint = r.uniform(1.2, 4.0), r.uniform(1.5, 3.5), p.paint()
    d.box(x, far, 0, wide, 0.1, high, paint)
    for side in (-1, 1):
        d.box(x + side * wide / 2, far / 2 + 0.1, 0, 0.1, far, high, paint)
    d.box(x, far / 2 + 0.1, high, wide, far, 0.1, p.ceiling())
    if r.random() < 0.4:
        with d.at(x + r.gauss(0, 0.3), far * 0.6, 0, yaw=r.uniform(-0.5, 0.5)):
            if r.random() < 0.7:
                draw_person(d, p)
            else:
                draw_plant(d, p, height=r.uniform(0.4, 1.8))


def _hang(d: Draft, p: Palette, length: float, high: float, holes: list[Opening]) -> None:
    """Hang mirrors and pictures on the parts of a wall without holes."""
    r = d.rng
    for _ in range(r.randint(0, 3)):
        w, h = r.uniform(0.3, 1.3), r.uniform(0.3, 1.3)
        x, z = r.uniform(-0.5, 0.5) * (length - w - 0.2), r.uniform(0.7, max(0.75, high - h - 0.2))
        if any(hole.x0 - 0.2 < x + w / 2 and x - w / 2 < hole.x1 + 0.2 for hole in holes):
            continue
        holes = [*holes, Opening(x - w / 2, x + w / 2, 0, high)]
        with d.at(x, -0.004, z):
            hang_art(d, p, w, h)


def _outside(d: Draft, p: Palette, room: Room) -> None:
    """Draw the view from the windows: ground, houses and trees."""
    r = d.rng
    low = r.choice((-0.3, -0.3, -3.0, -9.0))
    d.box(0, 0, low - 1, 160, 160, 1, p.ground())
    for _ in range(r.randint(2, 6)):
        turn, far = r.uniform(0, 2 * math.pi), r.uniform(14, 50)
        with d.at(far * math.sin(turn), room.deep / 2 + far * math.cos(turn), low, yaw=-turn + r.gauss(0, 0.3)):
            if r.random() < 0.5:
                d.box(0, 0, 0, r.uniform(8, 25), r.uniform(8, 15), r.uniform(4, 20), p.facade())
            else:
                draw_tree(d, p, height=r.uniform(4, 12))
