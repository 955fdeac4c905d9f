"""Sets light and air: sun, lamps, overhead fill, sky, haze; day, dusk and night."""

from __future__ import annotations

import math

from ..draft import Air, Draft, Light
from ..frames import Vector
from ..textures.materials import hsv
from .shell import Room, Window


def light_room(d: Draft, room: Room, windows: list[Window]) -> None:
    """Set the lights and the air of a room: sun, lamps, overhead fill, colour temperature."""
    r = d.rng
    warm = hsv(r.uniform(0.05, 0.13), r.uniform(0.05, 0.5), 1.0)
    cool = hsv(r.uniform(0.5, 0.65), r.uniform(0.0, 0.3), 1.0)
    lamp_at = (r.uniform(-0.3, 0.3) * room.w, r.uniform(0.2, 0.8) * room.deep, room.high - r.uniform(0.02, 0.5))
    below = (lamp_at[0] + r.gauss(0, 0.5), lamp_at[1] + r.gauss(0, 0.5), 0.0)
    strength = r.uniform(2, 8) * (room.high / 2.5) ** 2
    overhead = Light(lamp_at, below, math.radians(76), _times(warm, strength), True, r.uniform(0.6, 2.5))
    if windows and r.random() < 0.75:
        _, middle, yaw = r.choice(windows)
        turn, rise = yaw + r.gauss(0, 0.5), math.radians(r.uniform(12, 55))
        far = 45.0
        away = (-math.sin(turn) * math.cos(rise) * far, math.cos(turn) * math.cos(rise) * far, math.sin(rise) * far)
        sun_at = (middle[0] + away[0], middle[1] + away[1], middle[2] + away[2])
        reach = math.atan((room.w + room.deep) * 0.4 / far)
        sun = Light(
            sun_at,
            (middle[0] * 0.5, (middle[1] + room.deep / 2) / 2, 0.5),
            reach,
            _times(hsv(0.11, 0.2, 1), r.uniform(2, 8)),
            False,
            0.7,
        )
        first, sky = sun, cool
        overhead = Light(lamp_at, below, math.radians(76), _times(cool, strength * 0.4), True, 3.0)
    else:
        at = (r.uniform(-0.45, 0.45) * room.w, r.uniform(0.05, 0.95) * room.deep, r.uniform(1.3, room.high - 0.1))
        first = Light(
            at,
            (r.gauss(0, 0.5), room.deep * 0.5, 0.3),
            math.radians(72),
            _times(warm, r.uniform(0.5, 5)),
            True,
            r.uniform(0.5, 2.5),
        )
        sky = warm
    d.lights = [first, overhead]
    fill = r.uniform(0.15, 0.7)
    d.air = Air(
        ambient_up=_times(sky, fill),
        ambient_down=_times(warm, fill * r.uniform(0.4, 0.9)),
        corner=((-room.w / 2, 0.0, 0.0), (room.w / 2, room.deep, room.high)),
        daylight=r.uniform(2, 8),
        key=r.uniform(0.07, 0.22),
        clouds=r.uniform(0.1, 0.9),
        cloud_slot=r.randint(0, 6),
    )
    if r.random() < 0.3:
        d.air.zenith, d.air.horizon = (0.8, 0.85, 0.9), (1.0, 1.0, 1.0)


def light_outdoors(d: Draft) -> None:
    """Set sun, sky, clouds and haze: noon to dusk, clear to overcast."""
    r = d.rng
    overcast = r.random() < 0.35
    rise, turn = math.radians(r.uniform(8, 75)), r.uniform(0, 2 * math.pi)
    warm = max(0.0, 1 - rise / 0.6)
    sun_colour = hsv(0.09, 0.12 + 0.5 * warm, 1.0)
    strength = r.uniform(0.0, 0.5) if overcast else r.uniform(2.0, 6.0)
    x, y, _ = d.eye.position
    ahead = r.uniform(6, 16)
    target: Vector = (x - math.sin(d.eye.yaw_rad) * ahead, y + math.cos(d.eye.yaw_rad) * ahead, 0.0)
    far = 150.0
    away = (math.cos(turn) * math.cos(rise) * far, math.sin(turn) * math.cos(rise) * far, math.sin(rise) * far)
    at = (target[0] + away[0], target[1] + away[1], target[2] + away[2])
    sun = Light(at, target, math.atan(r.uniform(14, 24) / far), _times(sun_colour, strength), False, 0.8)
    zenith = hsv(r.uniform(0.55, 0.63), r.uniform(0, 0.1) if overcast else r.uniform(0.4, 0.85), r.uniform(0.5, 1.0))
    skylight = hsv(0.6, r.uniform(0, 0.1) if overcast else r.uniform(0.05, 0.35), 1.0)
    horizon = hsv(
        r.uniform(0.5, 0.6) if warm < 0.5 else r.uniform(0.03, 0.12),
        r.uniform(0.02, 0.25 + 0.3 * warm),
        r.uniform(0.7, 1.2),
    )
    if r.random() < 0.12:
        _make_night(d, target)
        return
    dome = Light(
        (target[0], target[1], far), target, math.atan(16 / far), _times(skylight, r.uniform(0.3, 0.8)), False, 3.0
    )
    d.lights = [sun, dome]
    d.air = Air(
        zenith=zenith,
        horizon=horizon,
        clouds=r.uniform(0.7, 1.2) if overcast else r.uniform(-0.1, 0.6),
        cloud_slot=r.randint(0, 6),
        cloud_shift=(r.random(), r.random()),
        ambient_up=_times(skylight, r.uniform(0.25, 0.6)),
        ambient_down=_times(horizon, r.uniform(0.1, 0.35)),
        haze_per_m=r.choice((0.0, 0.0, 0.0005, 0.001, 0.003, r.uniform(0.003, 0.025))),
        key=r.uniform(0.1, 0.2),
    )


def _make_night(d: Draft, target: Vector) -> None:
    """Set two lamps under a dark sky."""
    r = d.rng
    lights = []
    for _ in range(2):
        at = (target[0] + r.gauss(0, 5), target[1] + r.gauss(0, 4), r.uniform(3.5, 9))
        below = (at[0] + r.gauss(0, 1), at[1] + r.gauss(0, 1), 0.0)
        colour = hsv(r.uniform(0.06, 0.15), r.uniform(0.0, 0.6), 1.0)
        lights.append(Light(at, below, math.radians(74), _times(colour, r.uniform(10, 60)), True, r.uniform(0.5, 1.5)))
    d.lights = lights
    dark = hsv(r.uniform(0.58, 0.7), 0.6, r.uniform(0.002, 0.03))
    d.air = Air(
        zenith=dark,
        horizon=_times(dark, 2.0),
        clouds=r.uniform(0, 0.6),
        cloud_slot=r.randint(0, 6),
        ambient_up=_times(dark, 1.5),
        ambient_down=dark,
        key=r.uniform(0.02, 0.07),
    )


def _times(colour: Vector, factor: float) -> Vector:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
