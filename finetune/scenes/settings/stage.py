"""A stage for probes: a plain room or open ground in even light, where the things that are compared have numbers."""

from __future__ import annotations

import math

from ..draft import Air, Draft, Eye, Light, look_at
from ..frames import Vector
from ..textures.materials import Colour, Material, Palette, hsv
from .shell import Room

# Instances of the things that a probe compares; those of everything else are 0 and from REST on.
SUBJECT, OTHER, SURFACE, REST = 1, 2, 3, 10
_WALL_M = 0.2  # thickness
_LAMP_RAD = math.radians(76)


def build_stage(d: Draft, p: Palette, room: Room, *, floor: Material | None = None, apart: str = "") -> None:
    """Draw a room with smooth pale walls.

    Args:
        d, p: Draft and materials.
        room: Its size.
        floor: None draws a random floor.
        apart: "floor" or "back" makes that surface the instance SURFACE.
    """
    w, deep, high = room.w + 2 * _WALL_M, room.deep + 2 * _WALL_M, room.high
    r, middle = d.rng, room.deep / 2
    pale = hsv(r.random(), r.uniform(0.05, 0.35), r.uniform(0.45, 0.75))
    wall = p.make("plaster", pale, _times(pale, 0.85), tile_m=2.0)
    d.thing = SURFACE if apart == "floor" else 0
    d.box(0, middle, -_WALL_M, w, deep, _WALL_M, floor or p.floor())
    d.thing = 0
    d.box(0, middle, high, w, deep, _WALL_M, p.make("plaster", (0.7, 0.7, 0.68), (0.6, 0.6, 0.58), tile_m=2.0))
    for side in (-1, 1):
        d.box(side * (room.w + _WALL_M) / 2, middle, 0, _WALL_M, deep, high, wall)
    d.box(0, -_WALL_M / 2, 0, w, _WALL_M, high, wall)
    d.thing = SURFACE if apart == "back" else 0
    d.box(0, room.deep + _WALL_M / 2, 0, w, _WALL_M, high, wall)
    d.thing = REST
    light_stage(d, room)


def vivid(p: Palette) -> Material:
    """Return a pattern in strong colours, which a person tells at once from a room."""
    r, hue = p.rng, p.rng.random()
    kind = r.choice(("plaster", "stripes", "dots", "plaid", "checker"))
    return p.make(kind, hsv(hue, 0.85, 0.45), hsv(hue + r.uniform(0.05, 0.2), 0.7, 0.8), tile_m=r.uniform(0.4, 0.8))


def light_stage(d: Draft, room: Room) -> None:
    """Set natural light: a white lamp near the front of the ceiling, a softer one behind it, and even surroundings."""
    r, warm = d.rng, d.rng.uniform(0.02, 0.15)
    strength = 7 * (room.high / 2.5) ** 2
    white = hsv(0.1, warm, 1.0)
    at = (r.uniform(-0.3, 0.3) * room.w, 0.25 * room.deep, room.high - 0.1)
    behind = (-at[0], 0.65 * room.deep, room.high - 0.1)
    d.lights = [
        Light(at, (0.0, 0.75 * room.deep, 0.5), _LAMP_RAD, _times(white, strength), True, 1.5),
        Light(behind, (0.0, 0.65 * room.deep, 0.0), _LAMP_RAD, _times(white, strength / 3), True, 3.0),
    ]
    corner = ((-room.w / 2, 0.0, 0.0), (room.w / 2, room.deep, room.high))
    d.air = Air(ambient_up=(0.5, 0.5, 0.5), ambient_down=(0.35, 0.35, 0.35), corner=corner, key=0.2)


def light_unnaturally(d: Draft) -> None:
    """Replace the light of a stage: two lamps near the floor in strong opposite colours, in a dark room."""
    assert d.air.corner is not None
    (x0, y0, _), (x1, y1, high) = d.air.corner
    r, hue, strength = d.rng, d.rng.random(), 5 * (high / 2.5) ** 2
    middle: Vector = (0.0, (y0 + y1) / 2 + 0.5, 0.8)
    d.lights = [
        Light((x0 + 0.3, y0 + 0.6, 0.3), middle, _LAMP_RAD, _times(hsv(hue, 0.95, 1.0), strength), True, 1.0),
        Light(
            (x1 - 0.3, (y0 + y1) / 2, 0.5), middle, _LAMP_RAD, _times(hsv(hue + 0.5, 0.95, 1.0), strength), True, 1.0
        ),
    ]
    dim = hsv(hue + r.uniform(0.2, 0.3), 0.8, 0.12)
    d.air.ambient_up, d.air.ambient_down, d.air.key = dim, dim, 0.11


def light_day(d: Draft) -> None:
    """Set a clear day: the sun behind the camera to a side, and the light of a blue sky."""
    r, far = d.rng, 150.0
    turn, rise = r.choice((-1, 1)) * r.uniform(0.4, 1.1), math.radians(r.uniform(30, 55))
    target: Vector = (0.0, 10.0, 0.0)
    sun = (
        far * math.sin(turn) * math.cos(rise),
        target[1] - far * math.cos(turn) * math.cos(rise),
        far * math.sin(rise),
    )
    skylight = hsv(0.6, 0.15, 1.0)
    d.lights = [
        Light(sun, target, math.atan(20 / far), _times(hsv(0.1, 0.12, 1.0), 4.0), False, 0.8),
        Light((0.0, target[1], far), target, math.atan(20 / far), _times(skylight, 0.5), False, 3.0),
    ]
    d.air = Air(
        zenith=hsv(0.6, r.uniform(0.6, 0.8), r.uniform(0.6, 0.9)),
        horizon=hsv(0.57, r.uniform(0.1, 0.25), 1.0),
        clouds=0.3,
        cloud_slot=r.randint(0, 6),
        cloud_shift=(r.random(), r.random()),
        ambient_up=_times(skylight, 0.45),
        ambient_down=(0.25, 0.24, 0.2),
        key=0.17,
    )


def see(d: Draft, position: Vector, target: Vector, fov_deg: float) -> None:
    """Look from a position to a target."""
    d.eye = look_at(Eye(position, fov_rad=math.radians(fov_deg)), target)


def _times(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
