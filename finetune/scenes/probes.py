"""Probe scenes: each isolates one cue of depth, or its absence, with everything else equal.

Source: the questions are those of studies of what monocular networks see, e.g. van Dijk and de Croon,
How Do Neural Networks See Depth in Single Images?, ICCV 2019.
"""

from __future__ import annotations

import math
from dataclasses import replace

from .draft import Air, Draft, Eye, Light
from .lights import light_outdoors
from .materials import ART, FIELD_AT, Material, Palette
from .rooms import draft_room
from .streets import draft_meadow, draft_street

_GROUND_M = 60.0


def draft_parallel(d: Draft) -> None:
    """Draw equal panels that face the camera in planes at several depths, with nothing that links them."""
    r, p = d.rng, Palette(d.rng)
    material, kind = p.any(), r.random()
    count, side = r.randint(2, 5), r.uniform(0.6, 1.2)
    far = [r.uniform(2, 4) * 1.5**k for k in range(count)]
    r.shuffle(far)
    for k, y in enumerate(far):
        x = ((k + 0.5) / count - 0.5) * y * 1.1
        with d.at(x, y, r.uniform(-0.15, 0.15) * y):
            _shape(d, material, side, kind=kind)
    _backdrop(d, p, 14.0)
    _look_ahead(d)


def draft_size(d: Draft) -> None:
    """Draw small near and large far copies of one object, of the same apparent size; some scenes have a ground."""
    r, p = d.rng, Palette(d.rng)
    material, kind, count = p.any(), r.random(), r.randint(2, 3)
    near = r.uniform(1.5, 2.5)
    grounded = r.random() < 0.5
    places = list(range(count))
    r.shuffle(places)
    for k, place in enumerate(places):
        y = near * 2.0**k
        with d.at((place - (count - 1) / 2) * 0.55 * y, y, -0.4 * y if grounded else 0.0, scale=y / near):
            _shape(d, material, 0.5, kind=kind, low=0.0 if grounded else -0.25)
    if grounded:
        for k in range(count):
            y = near * 2.0**k
            d.box(0, y, -0.4 * y - 0.1, 0.3 * y * 9, 0.6 * y, 0.1, p.wood())
    _backdrop(d, p, near * 2.0**count)
    _look_ahead(d)


def draft_occlusion(d: Draft) -> None:
    """Draw objects that are cut by a nearer one, from a little to almost wholly."""
    r, p = d.rng, Palette(d.rng)
    y = r.uniform(2.5, 5)
    with d.at(r.gauss(0, 0.2), y, 0):
        _shape(d, p.any(), r.uniform(0.8, 1.6), kind=r.random())
    for _ in range(r.randint(1, 3)):
        near = y * r.uniform(0.4, 0.8)
        with d.at(r.gauss(0, 0.4), near, r.gauss(0, 0.2), yaw=r.gauss(0, 0.3)):
            _shape(d, p.any(), r.uniform(0.4, 0.9), kind=r.random())
    if r.random() < 0.6:
        d.box(0, _GROUND_M / 2, -1.3, _GROUND_M, _GROUND_M, 0.2, p.floor())
    _backdrop(d, p, y * r.uniform(1.4, 3))
    _look_ahead(d)


def draft_cartoon(d: Draft) -> None:
    """Draw a room or street in flat colours, stepped light and ink lines."""
    d.rng.choice((draft_room, draft_street, draft_meadow))(d)
    d.solids[:] = [(*row[: -len(FIELD_AT)], *_plain(row[-len(FIELD_AT) :])) for row in d.solids]
    d.air = replace(d.air, toon=True, haze_per_m=0.0)


def draft_sky(d: Draft) -> None:
    """Draw sky and clouds over a low horizon, or nothing but sky."""
    r = d.rng
    draft_meadow(d)
    if r.random() < 0.3:
        d.solids[:] = d.solids[:1]
    d.eye.pitch_rad = r.uniform(0.05, 0.4)
    d.eye.position = (0.0, 0.0, r.uniform(1.0, 30.0))
    light_outdoors(d)
    d.air.clouds = r.uniform(0.1, 0.8)


def _plain(material: Material) -> Material:
    """Return a material of one colour, without pattern, stains or highlights; art stays as it is."""
    if material[FIELD_AT["nature"]] == ART:
        return material
    out = list(material)
    for c in "rgb":
        out[FIELD_AT[f"{c}0"]] += sum(0.5 * out[FIELD_AT[f"{c}{k}"]] for k in (1, 2, 3))
        for k in (1, 2, 3):
            out[FIELD_AT[f"{c}{k}"]] = 0.0
    for name in ("gloss", "stain", "bump"):
        out[FIELD_AT[name]] = 0.0
    return tuple(out)


def _shape(d: Draft, material: Material, side: float, *, kind: float, low: float | None = None) -> None:
    """Draw a panel, disc, ball, box or post, its middle (or its foot at `low`) at the frame's height 0."""
    z = -side / 2 if low is None else low
    if kind < 0.4:
        d.box(0, 0, z, side, 0.02, side, material)
    elif kind < 0.55:
        with d.at(0, 0, z + side / 2, lean=math.pi / 2, same=True):
            d.tube(0, 0, 0, side / 2, 0.02, material)
    elif kind < 0.75:
        d.ball(0, 0, z + side / 2, side / 2, side / 2, side / 2, material)
    elif kind < 0.9:
        d.box(0, 0, z, side * 0.8, side * 0.8, side, material)
    else:
        d.tube(0, 0, z, side * 0.2, side, material)


def _backdrop(d: Draft, p: Palette, y: float) -> None:
    """Draw a wall far behind everything, or leave the sky."""
    if d.rng.random() < 0.6:
        d.thing = 0
        d.box(0, y, -40, 120, 0.2, 80, p.paint())


def _look_ahead(d: Draft) -> None:
    """Look level along +y with even light from behind the camera."""
    r = d.rng
    d.eye = Eye((0.0, 0.0, 0.0), fov_rad=math.radians(r.uniform(45, 75)))
    at = (r.uniform(-3, 3), -6.0, r.uniform(2, 5))
    white = (r.uniform(0.5, 1.5),) * 3
    key = Light(at, (0.0, 4.0, 0.0), math.radians(50), white, False, r.uniform(0.5, 2))
    fill = Light((-at[0], -5.0, 6.0), (0.0, 4.0, 0.0), math.radians(50), (0.2, 0.2, 0.2), False, 3.0)
    d.lights = [key, fill]
    d.air = Air(clouds=r.uniform(0, 0.8), cloud_slot=r.randint(0, 6), key=r.uniform(0.12, 0.3))
