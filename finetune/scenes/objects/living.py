"""Draws people, animals and plants of ellipsoids and bars at the frame's origin, facing -y."""

from __future__ import annotations

import math

from ..draft import Draft
from ..frames import Vector
from ..textures.materials import Material, Palette


def draw_person(d: Draft, p: Palette, *, sitting: bool = False, detail: bool = True) -> None:
    """Draw a person about 1.7 m tall.

    Args:
        d: Draft; the person is drawn into its current frame.
        p: Materials.
        sitting: Whether the person sits, on a seat 0.45 m high with its front edge 0.3 m in front of the origin.
        detail: Whether the face has eyes, nose and mouth.
    """
    r = d.rng
    girth = r.uniform(0.85, 1.25)
    skin, top, legs = p.skin(), p.cloth(), p.cloth()
    lift = -0.42 if sitting else 0.0
    _legs(d, p, legs, skin, sitting, girth)
    skirt = r.random() < 0.2 and not sitting
    if skirt:
        d.tube(0, 0, 0.45, 0.3 * girth, 0.55, legs, top=0.15 * girth)
    d.ball(0, 0, 0.97 + lift, 0.17 * girth, 0.13 * girth, 0.15, legs)
    d.ball(0, 0.0, 1.2 + lift, 0.18 * girth, 0.125 * girth, 0.3, top)
    d.ball(0, 0.0, 1.33 + lift, 0.185, 0.115 * girth, 0.13, top)
    d.limb((-0.235, 0, 1.375 + lift), (0.235, 0, 1.375 + lift), 0.085, top, bulge=0.9)
    d.bar((0, 0.01, 1.36 + lift), (0, 0.005, 1.47 + lift), 0.1, top, top=0.055)
    if r.random() < 0.3:
        d.tube(0, 0, 0.82 + lift, 0.19 * girth, 0.5, top, top=0.16 * girth, bulge=0.05)
    for side in (-1, 1):
        _arm(d, r.choice((top, top, skin)), top, skin, side, lift)
    d.bar((0, 0.01, 1.42 + lift), (0, 0, 1.53 + lift), 0.055, skin, top=0.05)
    with d.at(0, -0.01, 1.62 + lift, yaw=r.gauss(0, 0.35), lean=r.gauss(0, 0.15), same=True):
        _head(d, p, skin, detail)


def _legs(d: Draft, p: Palette, legs: Material, skin: Material, sitting: bool, girth: float) -> None:
    r = d.rng
    shoe = p.plastic()
    for side in (-1, 1):
        hip = (side * 0.1, 0.0, 0.5 if sitting else 0.93)
        if sitting:
            knee, ankle = (
                (side * r.uniform(0.1, 0.22), -0.45, 0.5),
                (side * r.uniform(0.08, 0.25), -r.uniform(0.35, 0.6), 0.08),
            )
        else:
            step = r.gauss(0, 0.12)
            knee, ankle = (side * 0.11, -abs(step) * 0.8, 0.5), (side * 0.12, step, 0.08)
        d.bar(hip, knee, 0.095 * girth, legs, top=0.065)
        d.bar(knee, ankle, 0.065, r.choice((legs, legs, skin)), top=0.042)
        d.ball(knee[0], knee[1], knee[2], 0.065, 0.065, 0.065, legs)
        d.ball(ankle[0], ankle[1] - 0.05, 0.045, 0.05, 0.13, 0.05, shoe)


def _arm(d: Draft, sleeve: Material, top: Material, skin: Material, side: int, lift: float) -> None:
    r = d.rng
    shoulder = (side * 0.19, 0.0, 1.385 + lift)
    swing, spread, bend = r.gauss(0.1, 0.35), abs(r.gauss(0.15, 0.25)), abs(r.gauss(0.5, 0.6))
    if r.random() < 0.1:
        swing += 2.2
    elbow = _along(shoulder, side * spread, swing, 0.29)
    wrist = _along(elbow, side * (spread - 0.4 * bend), swing + bend, 0.25)
    d.ball(*shoulder, 0.058, 0.06, 0.06, top)
    d.bar(shoulder, elbow, 0.055, top, top=0.043)
    d.ball(*elbow, 0.043, 0.043, 0.043, top)
    d.bar(elbow, wrist, 0.043, sleeve, top=0.032)
    hand = _along(wrist, 0, swing + bend, 0.13)
    d.limb(wrist, hand, 0.04, skin, bulge=0.6)


def _along(start: Vector, sideways: float, forward: float, length: float) -> Vector:
    """Return the end of a limb that hangs down, rotated forward (towards -y) and sideways."""
    c = math.cos(sideways)
    return (
        start[0] + length * math.sin(sideways),
        start[1] - length * math.sin(forward) * c,
        start[2] - length * math.cos(forward) * c,
    )


def _head(d: Draft, p: Palette, skin: Material, detail: bool) -> None:
    """Draw a head around the origin: skull, jaw, hair or hat, and the face."""
    r = d.rng
    hair = p.hair()
    d.ball(0, 0.0, 0.02, 0.078, 0.097, 0.105, skin)
    d.ball(0, -0.015, -0.045, 0.06, 0.075, 0.075, skin)
    style = r.random()
    if style < 0.75:
        d.ball(0, 0.022, 0.045, 0.088, 0.097, 0.1, hair)
    if style < 0.3:
        d.ball(0, 0.05, -0.06, 0.1, 0.07, r.uniform(0.1, 0.22), hair)
    elif style > 0.85:
        d.tube(0, 0.0, 0.06, 0.13, 0.015, p.cloth())
        d.tube(0, 0.0, 0.07, 0.092, 0.08, p.cloth(), bulge=0.1)
    if not detail:
        return
    white, dark, lip = (
        p.even((0.7, 0.68, 0.65), gloss=0.5),
        p.even((0.03, 0.02, 0.02), gloss=0.8),
        p.even((0.35, 0.1, 0.08)),
    )
    for side in (-1, 1):
        d.ball(side * 0.032, -0.081, 0.025, 0.015, 0.009, 0.009, white)
        d.ball(side * 0.032, -0.0875, 0.025, 0.007, 0.006, 0.0075, dark)
        d.limb((side * 0.015, -0.09, 0.047), (side * 0.053, -0.078, 0.048), 0.005, hair)
        d.ball(side * 0.079, 0.0, 0.005, 0.012, 0.02, 0.03, skin)
    d.limb((0, -0.087, 0.03), (0, -0.108, -0.018), 0.013, skin)
    d.ball(0, -0.102, -0.018, 0.017, 0.012, 0.01, skin)
    d.ball(0, -0.082, -0.057, 0.026, 0.01, 0.008, lip)
    if r.random() < 0.2:
        d.ball(0, -0.03, -0.07, 0.062, 0.07, 0.06, hair)


def draw_animal(d: Draft, p: Palette, *, length: float | None = None, detail: bool = True) -> None:
    """Draw an animal like a cat, dog, sheep or horse, standing, sitting or lying.

    Args:
        d: Draft; the animal is drawn into its current frame.
        p: Materials.
        length: Length of the trunk, metres; None for a random length.
        detail: Whether the head has eyes and a nose.
    """
    r = d.rng
    coat, second = p.fur(), p.fur()
    s = length if length is not None else r.choice((0.4, 0.45, 0.7, 0.9, 1.4))
    pose = r.choice(("stand", "sit", "lie"))
    leg = {"stand": r.uniform(0.45, 0.8), "sit": 0.4, "lie": 0.12}[pose] * s
    thick = r.uniform(0.2, 0.3) * s
    rise = 0.35 * s if pose == "sit" else 0.0
    front, back = (
        (0.0, -0.4 * s, leg + thick * 0.6 + rise),
        (0.0, 0.4 * s, leg * (0.6 if pose == "sit" else 1) + thick * 0.6),
    )
    d.limb((0, front[1] - 0.2 * s, front[2]), (0, back[1] + 0.2 * s, back[2]), thick, coat, bulge=1.05)
    d.ball(*front, thick * 0.95, thick, thick * 1.1, coat)
    d.ball(*back, thick * 1.0, thick * 0.95, thick, coat)
    for side in (-1, 1):
        for y, up in ((front[1], front[2]), (back[1], back[2])):
            foot = (side * thick * 0.7, y - r.uniform(-0.1, 0.15) * s, 0.03 * s)
            d.bar((side * thick * 0.6, y, up), foot, 0.08 * s, coat, top=0.045 * s)
            d.ball(foot[0], foot[1] - 0.04 * s, foot[2], 0.06 * s, 0.09 * s, 0.045 * s, second)
    neck = (0.0, front[1] - r.uniform(0.15, 0.35) * s, front[2] + r.uniform(0.2, 0.5) * s)
    d.bar(front, neck, thick * 0.6, coat, top=thick * 0.5)
    d.limb(
        (0, back[1], back[2]),
        (r.gauss(0, 0.3) * s, back[1] + 0.5 * s, back[2] + r.uniform(-0.3, 0.5) * s),
        0.05 * s,
        coat,
    )
    with d.at(*neck, yaw=r.gauss(0, 0.5), lean=r.gauss(0, 0.2), scale=s, same=True):
        _muzzle(d, p, coat, second, detail)


def _muzzle(d: Draft, p: Palette, coat: Material, second: Material, detail: bool) -> None:
    """Draw an animal's head around the origin, for a trunk of 1 m."""
    r = d.rng
    long = r.uniform(0.1, 0.35)
    d.ball(0, 0, 0, 0.2, 0.19, 0.18, coat)
    d.limb((0, -0.05, -0.02), (0, -0.12 - long, -0.08), 0.11, r.choice((coat, second)))
    for side in (-1, 1):
        if r.random() < 0.7:
            d.bar((side * 0.11, 0.02, 0.1), (side * 0.16, 0.03, 0.32), 0.08, coat, top=0.005)
        else:
            d.ball(side * 0.2, 0.02, 0.0, 0.05, 0.09, 0.16, second)
    if detail:
        iris, dark = p.even(p.colour(0.1, 0.6), gloss=1.0), p.even((0.02, 0.02, 0.02), gloss=1.0)
        for side in (-1, 1):
            d.ball(side * 0.085, -0.155, 0.05, 0.042, 0.03, 0.04, iris)
            d.ball(side * 0.087, -0.178, 0.05, 0.02, 0.012, 0.032, dark)
        d.ball(0, -0.12 - long, -0.05, 0.035, 0.03, 0.025, dark)


def draw_tree(d: Draft, p: Palette, *, height: float) -> None:
    """Draw a tree: conical, broad or without leaves."""
    r = d.rng
    bark, leaves = p.wood(), p.leaves()
    shape = r.random()
    thick = height * r.uniform(0.015, 0.035)
    if shape < 0.2:
        d.tube(0, 0, 0, thick, height * 0.3, bark)
        for k in range(r.randint(2, 4)):
            d.tube(0, 0, height * (0.15 + 0.2 * k), height * (0.2 - 0.04 * k), height * 0.42, leaves, top=0.01)
            for _ in range(3):
                turn, out = r.uniform(0, 6.3), height * (0.15 - 0.03 * k)
                at = (out * math.cos(turn), out * math.sin(turn), height * (0.2 + 0.2 * k))
                d.lace(*at, out * 0.8, out * 0.8, out * 0.5, leaves, waves=r.uniform(7, 14))
        return
    fork = height * r.uniform(0.3, 0.5)
    d.tube(0, 0, 0, thick * 1.3, fork, bark, top=thick)
    for _ in range(r.randint(3, 6)):
        turn, out = r.uniform(0, 2 * math.pi), height * r.uniform(0.1, 0.28)
        tip = (out * math.cos(turn), out * math.sin(turn), height * r.uniform(0.6, 0.95))
        d.bar((0, 0, fork * 0.95), tip, thick * 0.6, bark, top=thick * 0.2)
        if shape > 0.3:
            _crown(d, leaves, tip, height * r.uniform(0.09, 0.17))


def _crown(d: Draft, leaves: Material, at: Vector, size: float) -> None:
    """Draw a ragged cluster of leaves."""
    r = d.rng
    for _ in range(r.randint(1, 3)):
        x, y, z = (c + r.gauss(0, 0.5) * size for c in at)
        wide = size * r.uniform(0.8, 1.7)
        d.lace(x, y, z, wide, wide * r.uniform(0.7, 1.3), wide * r.uniform(0.5, 0.9), leaves, waves=r.uniform(7, 16))


def draw_plant(d: Draft, p: Palette, *, height: float) -> None:
    """Draw a pot plant or a bunch of flowers in a vase."""
    r = d.rng
    pot, leaves = p.plastic(), p.leaves()
    d.tube(
        0,
        0,
        0,
        height * 0.13,
        height * 0.3,
        pot,
        top=height * r.uniform(0.12, 0.2),
        bulge=r.uniform(-0.2, 0.3),
        hollow=True,
    )
    d.tube(0, 0, height * 0.2, height * 0.1, height * 0.05, p.ground())
    for _ in range(r.randint(4, 9)):
        turn, out = r.uniform(0, 2 * math.pi), height * r.uniform(0.08, 0.4)
        tip = (out * math.cos(turn), out * math.sin(turn), height * r.uniform(0.5, 1.0))
        d.limb((0, 0, height * 0.22), tip, height * r.uniform(0.015, 0.07), leaves, bulge=0.3)
        if r.random() < 0.3:
            size = height * r.uniform(0.04, 0.09)
            d.ball(*tip, size, size, size, p.plastic())


def draw_bush(d: Draft, p: Palette, *, height: float) -> None:
    """Draw a low bush or a heap of boulders."""
    r = d.rng
    if r.random() < 0.2:
        stone = p.ground()
        for _ in range(r.randint(1, 3)):
            size = height * r.uniform(0.4, 0.7)
            d.ball(
                r.gauss(0, 0.5) * height,
                r.gauss(0, 0.4) * height,
                size * 0.4,
                size,
                size * r.uniform(0.7, 1.2),
                size * 0.7,
                stone,
            )
        return
    leaves = p.leaves()
    for _ in range(r.randint(1, 4)):
        size = height * r.uniform(0.4, 0.7)
        x, y, deep = r.gauss(0, 0.5) * height, r.gauss(0, 0.4) * height, size * r.uniform(0.7, 1.2)
        waves = r.uniform(8, 20)
        d.lace(x, y, size * 0.6, size, deep, size, leaves, waves=waves)
        d.lace(x, y, size * 0.5, size * 0.85, deep * 0.85, size * 0.85, leaves, waves=waves)
        d.ball(x, y, size * 0.4, size * 0.6, deep * 0.6, size * 0.6, leaves)
