"""Drafts probe scenes: each isolates a cue of depth, or its absence, and keeps everything else equal.

Source: the questions are those of studies of what monocular networks see, e.g. van Dijk and de Croon,
How Do Neural Networks See Depth in Single Images?, ICCV 2019.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ..draft import Air, Draft, Eye, Light
from ..textures.materials import ART, FIELD_AT, Material, Palette, hsv
from .lights import light_outdoors
from .rooms import draft_room
from .stage import vivid
from .streets import draft_meadow, draft_street

_GROUND_M = 60.0
_PANEL_M = 0.02  # thickness
_THICK, _BOX, _POST = 0.55, 0.75, 0.9  # a shape of kind below 0.55 is a panel or disc, then ball, box, post


def draft_parallel(d: Draft) -> None:
    """Draw equal panels or discs that face the camera at several depths; none hides another, nothing connects them."""
    r, p = d.rng, Palette(d.rng)
    half = _look_ahead(d)
    material, kind, count = p.any(), r.uniform(0, _THICK), r.randint(2, 5)
    slot = 2 * half / count  # of the image, for each shape
    far = [r.uniform(2, 4)]
    for _ in range(count - 1):
        far.append(far[-1] * r.uniform(1.25, 1.6))
    side = r.uniform(0.6, 0.9) * slot * min(far)
    r.shuffle(far)
    for k, y in enumerate(far):
        x = (k + 0.5) * slot - half
        with d.at(x * y, y, r.uniform(-1, 1) * (half - slot / 2) * y):
            _shape(d, material, side, kind=kind)
    _backdrop(d, p, 1.1 * max(far))


def draft_equal(d: Draft) -> None:
    """Draw three equal panels, discs or balls in strong colours, in planes at different depths before a pale wall."""
    r, p = d.rng, Palette(d.rng)
    half = _look_ahead(d)
    material, kind, slot = vivid(p), r.uniform(0, _BOX), 2 * half / 3
    near, step = r.uniform(1.6, 2.2), r.uniform(1.35, 1.55)
    far = [near * step**k for k in range(3)]
    side = r.uniform(0.75, 0.95) * slot * near
    r.shuffle(far)
    for k, y in enumerate(far):
        with d.at(((k + 0.5) * slot - half) * y, y, r.uniform(-0.5, 0.5) * (half - slot / 2) * y):
            _shape(d, material, side, kind=kind)
    d.thing = 0
    pale = hsv(r.random(), r.uniform(0.05, 0.3), 0.6)
    d.box(0, 1.25 * max(far), -40, 120, 0.2, 80, p.make("plaster", pale, pale, tile_m=3.0, stain=0.15))


def draft_size(d: Draft) -> None:
    """Draw small near and large far copies of an object, with the same size in the image; some scenes have supports."""
    r, p = d.rng, Palette(d.rng)
    half = _look_ahead(d)
    material, kind, count = p.any(), r.random(), r.randint(2, 3)
    near, slot = r.uniform(1.5, 2.5), 2 * half / count
    side = r.uniform(0.45, 0.7) * slot
    places = [(k + 0.5) * slot - half for k in range(count)]
    r.shuffle(places)
    for k, place in enumerate(places):
        y = near * 2.0**k
        with d.at(place * y, y, 0, scale=y):
            _shape(d, material, side, kind=kind)
    if r.random() < 0.5:
        d.thing = 0
        for k, place in enumerate(places):
            y = near * 2.0**k
            with d.at(place * y, y, 0, scale=y, same=True):  # too narrow to hide another support
                d.box(0, 0, -0.6 * side, 0.8 * slot, 0.4, 0.1 * side, p.wood())
    _backdrop(d, p, near * 2.0**count)


def draft_occlusion(d: Draft) -> None:
    """Draw an object that nearer objects hide from one side or both, from a little to almost all of it."""
    r, p = d.rng, Palette(d.rng)
    _look_ahead(d)
    y = r.uniform(2.5, 5)
    x, side, kind = r.gauss(0, 0.05), r.uniform(0.8, 1.6), r.random()
    with d.at(x * y, y, 0):
        _shape(d, p.any(), side, kind=kind)
    half = _half_width(kind, side) / y
    cut = r.uniform(0.2, 0.8)
    cuts = [cut, r.uniform(0, 0.8 - cut)] if r.random() < 0.5 else [cut]
    sign = r.choice((-1, 1))  # of the side that is hidden
    for share in cuts:
        near, near_side, near_kind = y * r.uniform(0.4, 0.8), r.uniform(0.4, 0.9), r.random()
        edge = x + sign * half * (1 - 2 * share)
        at = edge * near + sign * _half_width(near_kind, near_side)
        with d.at(at, near, r.uniform(-0.25, 0.25) * near_side, yaw=r.gauss(0, 0.3)):
            _shape(d, p.any(), near_side, kind=near_kind)
        sign = -sign
    if r.random() < 0.6:
        d.thing = 0
        d.box(0, _GROUND_M / 2, -1.3, _GROUND_M, _GROUND_M, 0.2, p.floor())
    _backdrop(d, p, y * r.uniform(1.4, 3))


def draft_cartoon(d: Draft) -> None:
    """Draw a room, street or meadow in uniform colours, with stepped light and ink lines."""
    d.rng.choice((draft_room, draft_street, draft_meadow))(d)
    d.solids[:] = [(*row[: -len(FIELD_AT)], *_plain(row[-len(FIELD_AT) :])) for row in d.solids]
    d.air = replace(d.air, toon=True, haze_per_m=0.0)


def draft_sky(d: Draft) -> None:
    """Draw sky and clouds over a low horizon, sometimes without anything else."""
    r = d.rng
    draft_meadow(d)
    if r.random() < 0.3:
        d.solids[:] = d.solids[:1]
    d.eye.pitch_rad = r.uniform(0.05, 0.4)
    d.eye.position = (0.0, 0.0, r.uniform(1.0, 30.0))
    light_outdoors(d)
    d.air.clouds = r.uniform(0.1, 0.8)


def _plain(material: Material) -> Material:
    """Return a material with a uniform colour, without stains or highlights; art is returned unchanged."""
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


def _shape(d: Draft, material: Material, side: float, *, kind: float) -> None:
    """Draw a panel, disc, ball, box or post with its middle at the frame's origin."""
    z, wide = -side / 2, 2 * _half_width(kind, side)
    if kind < 0.4:
        d.box(0, 0, z, wide, _PANEL_M, side, material)
    elif kind < _THICK:
        with d.at(0, 0, 0, lean=math.pi / 2, same=True):
            d.tube(0, 0, 0, wide / 2, _PANEL_M, material)
    elif kind < _BOX:
        d.ball(0, 0, 0, wide / 2, wide / 2, side / 2, material)
    elif kind < _POST:
        d.box(0, 0, z, wide, wide, side, material)
    else:
        d.tube(0, 0, z, wide / 2, side, material)


def _half_width(kind: float, side: float) -> float:
    """Return half the width of a shape that faces the camera."""
    return side * (0.5 if kind < _BOX else 0.4 if kind < _POST else 0.2)


def _backdrop(d: Draft, p: Palette, y: float) -> None:
    """Draw a wall far behind everything, or leave the sky."""
    if d.rng.random() < 0.6:
        d.thing = 0
        d.box(0, y, -40, 120, 0.2, 80, p.paint())


def _look_ahead(d: Draft) -> float:
    """Look level along +y with even light from behind the camera.

    Returns:
        Half the image's shorter side (up to 4:3) at 1 m, minus a margin.
    """
    r = d.rng
    d.eye = Eye((0.0, 0.0, 0.0), fov_rad=math.radians(r.uniform(45, 75)))
    at = (r.uniform(-3, 3), -6.0, r.uniform(2, 5))
    white = (r.uniform(0.5, 1.5),) * 3
    key = Light(at, (0.0, 4.0, 0.0), math.radians(50), white, False, r.uniform(0.5, 2))
    fill = Light((-at[0], -5.0, 6.0), (0.0, 4.0, 0.0), math.radians(50), (0.2, 0.2, 0.2), False, 3.0)
    d.lights = [key, fill]
    d.air = Air(clouds=r.uniform(0, 0.8), cloud_slot=r.randint(0, 6), key=r.uniform(0.12, 0.3))
    return 0.65 * math.tan(d.eye.fov_rad / 2)
