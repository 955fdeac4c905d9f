"""Drafts outdoor scenes: streets, meadows and yards, with traffic, people, sky and sun."""

from __future__ import annotations

import math

from ..draft import THING, Draft, Eye, look_at
from ..objects.furniture import draw_crates
from ..objects.houses import draw_fence, draw_house, draw_tower
from ..objects.living import draw_animal, draw_bush, draw_person, draw_tree
from ..objects.vehicles import draw_motorcycle, draw_vehicle
from ..textures.materials import Palette
from .lights import light_outdoors

_FAR_M = 400.0  # reach of the ground


def draft_street(d: Draft) -> None:
    """Draw a road between pavements and houses."""
    r, p = d.rng, Palette(d.rng)
    half, walk, kerb = r.uniform(2.5, 7), r.uniform(1.2, 5), r.uniform(0.06, 0.2)
    d.box(0, 0, -1, 2 * _FAR_M, 2 * _FAR_M, 1, p.asphalt())
    paving = p.ground()
    for side in (-1, 1):
        d.box(side * (half + walk / 2), _FAR_M / 2 - 20, 0, walk, _FAR_M, kerb, paving)
        _marks(d, p, side * half * 0.95 if r.random() < 0.5 else 0.0)
        lush = r.random() < 0.3
        _row_of_houses(d, p, side, half + walk, lush)
        _along_kerb(d, p, side, half + walk * 0.2, kerb)
        _walkers(d, p, side, half, walk, kerb)
        _parked(d, p, side, half)
    for _ in range(r.randint(0, 3)):
        with d.at(r.choice((-1, 1)) * half * 0.5, r.uniform(8, 70), 0, yaw=r.choice((0, math.pi)) + r.gauss(0, 0.03)):
            draw_vehicle(d, p)
    d.eye = _street_eye(d, half, walk, kerb)
    light_outdoors(d)


def draft_meadow(d: Draft) -> None:
    """Draw open land with trees, hills, animals and people."""
    r, p = d.rng, Palette(d.rng)
    d.box(0, 0, -1, 2 * _FAR_M, 2 * _FAR_M, 1, p.ground())
    if r.random() < 0.5:
        d.box(r.uniform(-3, 3), 0, 0, r.uniform(1, 4), _FAR_M, 0.01, p.ground())
    _hills(d, p)
    for _ in range(r.randint(2, 12)):
        with d.at(*_spread(d, 4, 70), 0, yaw=r.uniform(0, 6)):
            draw_tree(d, p, height=r.uniform(3, 12))
    for _ in range(r.randint(0, 7)):
        with d.at(*_spread(d, 2, 25), 0, yaw=r.uniform(0, 6)):
            draw_bush(d, p, height=r.uniform(0.3, 1.5))
    for _ in range(r.randint(0, 5)):
        with d.at(*_spread(d, 2.2, 20), 0, yaw=r.uniform(-2, 2)):
            (draw_person if r.random() < 0.6 else draw_animal)(d, p)
    stone = p.ground()
    for _ in range(r.randint(0, 14)):
        with d.at(*_spread(d, 1.0, 12), 0):
            size = r.uniform(0.05, 0.25)
            if r.random() < 0.6:
                d.lace(
                    0, 0, size * 0.2, size, size * r.uniform(0.7, 1.5), size * 0.7, p.leaves(), waves=r.uniform(6, 12)
                )
            else:
                d.ball(0, 0, size * 0.15, size * 0.6, size * r.uniform(0.4, 0.8), size * 0.35, stone)
    if r.random() < 0.5:
        draw_fence(d, p, r.uniform(3, 15))
    if r.random() < 0.4:
        with d.at(*_spread(d, 15, 60), 0, yaw=r.gauss(0, 0.5)):
            draw_house(d, p, r.uniform(6, 14), r.uniform(5, 9), r.uniform(2.5, 6))
    d.eye = _open_eye(d)
    light_outdoors(d)


def draft_yard(d: Draft) -> None:
    """Draw a tall or near subject outdoors: tower, vehicle, motorcycle or a heap of boxes."""
    r, p = d.rng, Palette(d.rng)
    d.box(0, 0, -1, 2 * _FAR_M, 2 * _FAR_M, 1, p.asphalt() if r.random() < 0.5 else p.ground())
    _hills(d, p)
    far = r.uniform(3, 9)
    subject = r.random()
    with d.at(r.gauss(0, 0.6), far, 0, yaw=r.uniform(0, 6)):
        if subject < 0.25:
            tall = r.uniform(6, 40)
            draw_tower(d, p, tall)
        elif subject < 0.5:
            draw_motorcycle(d, p)
            tall = 1.1
        elif subject < 0.8:
            draw_vehicle(d, p)
            tall = 1.5
        else:
            draw_crates(d, p, 1, 1)
            tall = 1.0
    if subject < 0.25:
        far *= r.uniform(2, 6)
        d.solids[:] = [_moved(row, far) if row[THING] == d.thing else row for row in d.solids]
    for _ in range(r.randint(0, 5)):
        with d.at(*_spread(d, far + 2, far + 30), 0, yaw=r.uniform(0, 6)):
            r.choice((draw_vehicle, draw_person, lambda d, p: draw_tree(d, p, height=r.uniform(3, 9))))(d, p)
    if r.random() < 0.6:
        with d.at(r.gauss(0, 5), far + r.uniform(5, 25), 0, yaw=r.gauss(0, 0.3)):
            draw_house(d, p, r.uniform(8, 30), r.uniform(6, 14), r.uniform(3, 14))
    eye = Eye((0.0, 0.0, r.uniform(0.4, 2.0)))
    eye = look_at(eye, (r.gauss(0, 0.3), far, tall * r.uniform(0.3, 0.6)))
    eye.fov_rad = math.radians(r.uniform(35, 85))
    eye.roll_rad = r.gauss(0, 0.03)
    d.eye = eye
    light_outdoors(d)


def _moved(row: tuple[float, ...], far: float) -> tuple[float, ...]:
    """Return a solid moved along y by `far`."""
    return (*row[:2], row[2] + far, *row[3:])


def _row_of_houses(d: Draft, p: Palette, side: int, start: float, lush: bool) -> None:
    """Draw the houses and trees on one side of the street, from behind the camera to 130 m ahead."""
    r, y = d.rng, -8.0
    gap = r.choice((0.0, 0.0, 3.0, 8.0))
    while y < 130:
        wide = r.uniform(6, 22)
        deep, high = r.uniform(7, 14), r.uniform(3, 22) if not lush else r.uniform(3, 7)
        back = r.uniform(0, 1.5) if not lush else r.uniform(3, 9)
        if r.random() < 0.85:
            with d.at(side * (start + deep / 2 + back), y + wide / 2, 0, yaw=-side * math.pi / 2):
                draw_house(d, p, wide, deep, high)
        if lush or r.random() < 0.15:
            with d.at(side * (start + r.uniform(0, 3)), y + wide, 0):
                draw_tree(d, p, height=r.uniform(3, 10))
        y += wide + gap * r.random()


def _along_kerb(d: Draft, p: Palette, side: int, x: float, kerb: float) -> None:
    """Draw a line of lamps, posts or trees, and sometimes a bin."""
    r, y = d.rng, d.rng.uniform(2, 9)
    kind, step, pole = r.choice(("lamp", "tree", "post", "none")), r.uniform(5, 18), p.metal()
    while y < 80:
        with d.at(side * x, y, kerb):
            if kind == "tree":
                draw_tree(d, p, height=r.uniform(3, 7))
            elif kind == "lamp":
                high = r.uniform(3.5, 7)
                d.tube(0, 0, 0, 0.09, high, pole, top=0.05)
                d.bar((0, 0, high), (-side * 0.9, 0, high + 0.2), 0.04, pole)
                d.ball(-side * 0.9, 0, high + 0.15, 0.25, 0.12, 0.08, p.lamp(0.2))
            elif kind == "post":
                d.tube(0, 0, 0, 0.06, 0.9, pole)
                if r.random() < 0.3:
                    d.tube(0, 0, 0, 0.035, 2.4, pole)
                    d.box(0, -0.04, 1.9, 0.5, 0.02, 0.5, p.any())
        y += step * r.uniform(0.7, 1.5)
    if r.random() < 0.5:
        with d.at(side * (x + 0.6), r.uniform(3, 15), kerb):
            d.tube(0, 0, 0, 0.25, 0.9, p.plastic(), top=0.28)


def _walkers(d: Draft, p: Palette, side: int, half: float, walk: float, kerb: float) -> None:
    r = d.rng
    for _ in range(r.randint(0, 4)):
        with d.at(
            side * (half + r.uniform(0.3, 1) * walk),
            r.uniform(2.5, 40),
            kerb,
            yaw=r.choice((0, math.pi, 1.5)) + r.gauss(0, 0.4),
        ):
            if r.random() < 0.85:
                draw_person(d, p, detail=False)
            else:
                draw_animal(d, p, length=r.uniform(0.4, 0.8), detail=False)


def _parked(d: Draft, p: Palette, side: int, half: float) -> None:
    r, y = d.rng, d.rng.uniform(3, 12)
    if r.random() < 0.4:
        return
    while y < 60:
        with d.at(side * (half - 1.1), y, 0, yaw=r.choice((0, math.pi)) + r.gauss(0, 0.02)):
            if r.random() < 0.85:
                draw_vehicle(d, p)
            else:
                with d.at(0, 0, 0, yaw=math.pi / 2, same=True):
                    draw_motorcycle(d, p)
        y += r.uniform(5, 16)


def _marks(d: Draft, p: Palette, x: float) -> None:
    """Draw a dashed or solid line on the road."""
    r = d.rng
    paint = p.make("plaster", (0.7, 0.7, 0.66), (0.4, 0.4, 0.38), tile_m=1.0)
    if r.random() < 0.5:
        d.box(x, 100, 0, 0.12, 240, 0.004, paint)
        return
    for k in range(8):
        d.box(x, k * 8 - 4, 0, 0.14, 3, 0.004, paint)


def _hills(d: Draft, p: Palette) -> None:
    r = d.rng
    for _ in range(r.choice((0, 2, 4))):
        turn, far = r.gauss(0, 0.7), r.uniform(90, 320)
        size = far * r.uniform(0.2, 0.6)
        d.ball(
            far * math.sin(turn),
            far * math.cos(turn),
            -size * 0.1,
            size,
            size * 0.7,
            size * r.uniform(0.1, 0.45),
            p.ground(),
        )


def _spread(d: Draft, near: float, far: float) -> tuple[float, float]:
    """Return a random point of the ground ahead; the logarithm of its distance is uniform."""
    y = near * (far / near) ** d.rng.random()
    return d.rng.uniform(-0.7, 0.7) * y, y


def _street_eye(d: Draft, half: float, walk: float, kerb: float) -> Eye:
    r = d.rng
    x = r.choice((r.uniform(-0.8, 0.8) * half, (half + r.uniform(0.2, 0.8) * walk) * r.choice((-1, 1))))
    high = kerb + r.choice((r.uniform(1.3, 1.8), r.uniform(1.3, 2.2), r.uniform(0.4, 1.2), r.uniform(3, 8)))
    eye = look_at(Eye((x, 0.0, high)), (r.uniform(-1, 1) * half * 1.5, r.uniform(12, 40), r.uniform(0.5, 4)))
    if r.random() < 0.15:
        eye.yaw_rad += r.choice((-1, 1)) * r.uniform(0.5, 1.2)
    eye.pitch_rad += r.gauss(0, 0.08) if r.random() < 0.88 else r.choice((-0.4, 0.5))
    eye.roll_rad = r.gauss(0, 0.03)
    eye.fov_rad = math.radians(r.triangular(38, 100, 70))
    return eye


def _open_eye(d: Draft) -> Eye:
    r = d.rng
    return Eye(
        (0.0, 0.0, r.choice((r.uniform(1.2, 1.9), r.uniform(0.3, 1.2), r.uniform(2, 6)))),
        yaw_rad=r.gauss(0, 0.2),
        pitch_rad=r.gauss(-0.06, 0.12),
        roll_rad=r.gauss(0, 0.03),
        fov_rad=math.radians(r.triangular(35, 95, 65)),
    )
