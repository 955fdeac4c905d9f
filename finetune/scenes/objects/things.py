"""Draws small things at the frame's origin, to stand on tables, shelves and floors."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..textures.materials import Palette
from .living import draw_animal, draw_person, draw_plant
from .vehicles import draw_motorcycle


def scatter(d: Draft, p: Palette, w: float, deep: float, z: float, count: int) -> None:
    """Put `count` small things on a surface, w by deep metres, at height z."""
    r = d.rng
    for _ in range(count):
        with d.at(r.uniform(-w, w) / 2, r.uniform(-deep, deep) / 2, z, yaw=r.uniform(0, 6.3)):
            r.choice(SMALL)(d, p)


def draw_cup(d: Draft, p: Palette) -> None:
    """Draw a cup of coffee, sometimes with a saucer and a spoon."""
    r = d.rng
    china, high, radius = p.plastic(), r.uniform(0.07, 0.12), r.uniform(0.035, 0.05)
    if r.random() < 0.6:
        d.tube(0, 0, 0, radius * 1.2, 0.012, china, top=radius * 2)
        if r.random() < 0.6:
            spoon, y = p.metal(), radius * r.choice((-1.35, 1.35))
            d.bar((-radius, y, 0.014), (radius * 1.4, y, 0.02), 0.003, spoon)
            d.ball(-radius * 1.1, y, 0.015, 0.018, 0.012, 0.004, spoon)
    d.tube(0, 0, 0.01, radius * r.uniform(0.6, 1), high, china, top=radius, bulge=r.uniform(0, 0.15), hollow=True)
    d.tube(0, 0, 0.012, radius * 0.8, high * r.uniform(0.6, 0.85), p.even((0.06, 0.025, 0.01), gloss=0.8))
    for a, b in ((0.9, 1.7), (1.7, 1.6), (1.6, 0.85)):
        k = {0.9: 0.85, 1.7: 0.75, 1.6: 0.35}[a]
        d.bar((radius * a, 0, high * k), (radius * b, 0, high * {1.7: 0.75, 1.6: 0.35, 0.85: 0.25}[b]), 0.006, china)


def _book(d: Draft, p: Palette) -> None:
    r = d.rng
    z = 0.0
    for _ in range(r.randint(1, 3)):
        w, deep, high = r.uniform(0.12, 0.24), r.uniform(0.15, 0.3), r.uniform(0.008, 0.05)
        with d.at(0, 0, z, yaw=r.gauss(0, 0.2), same=True):
            d.box(0, 0, 0, w, deep, high, p.any())
        z += high


def _papers(d: Draft, p: Palette) -> None:
    """Draw sheets, a pen and a phone."""
    r = d.rng
    for k in range(r.randint(1, 3)):
        with d.at(r.gauss(0, 0.04), r.gauss(0, 0.04), 0.0012 * k, yaw=r.gauss(0, 0.4), same=True):
            d.box(0, 0, 0, 0.21, 0.297, 0.001, p.make("text", (0.03, 0.03, 0.03), (0.75, 0.74, 0.7), tile_m=0.2))
    d.bar((0.12, -0.08, 0.008), (0.16, 0.06, 0.008), 0.004, p.plastic())
    if r.random() < 0.5:
        d.box(-0.17, 0, 0, 0.07, 0.145, 0.008, p.plastic())


def _bottle(d: Draft, p: Palette) -> None:
    r = d.rng
    glass, high, radius = p.plastic(), r.uniform(0.12, 0.26), r.uniform(0.025, 0.045)
    d.tube(0, 0, 0, radius, high * 0.65, glass)
    d.tube(0, 0, high * 0.65, radius, high * 0.15, glass, top=radius * 0.4)
    d.tube(0, 0, high * 0.8, radius * 0.4, high * 0.2, p.plastic())
    d.tube(0, 0, high * 0.15, radius * 1.01, high * 0.35, p.any())


def _fruit(d: Draft, p: Palette) -> None:
    r = d.rng
    for _ in range(r.randint(1, 5)):
        size = r.uniform(0.025, 0.05)
        d.ball(r.gauss(0, 0.06), r.gauss(0, 0.06), size, size, size * r.uniform(0.9, 1.5), size, p.plastic())


def _bowl(d: Draft, p: Palette) -> None:
    r = d.rng
    radius = r.uniform(0.06, 0.14)
    d.tube(
        0,
        0,
        0,
        radius * 0.5,
        radius * r.uniform(0.3, 0.9),
        p.plastic(),
        top=radius,
        bulge=r.uniform(0, 0.2),
        hollow=True,
    )
    if r.random() < 0.5:
        for _ in range(4):
            d.ball(
                r.gauss(0, 0.3) * radius,
                r.gauss(0, 0.3) * radius,
                radius * 0.4,
                radius * 0.3,
                radius * 0.3,
                radius * 0.3,
                p.any(),
            )


def _plate(d: Draft, p: Palette) -> None:
    r = d.rng
    radius = r.uniform(0.08, 0.14)
    d.tube(0, 0, 0, radius * 0.6, 0.018, p.plastic(), top=radius)
    if r.random() < 0.6:
        for _ in range(r.randint(1, 4)):
            size = r.uniform(0.02, 0.05)
            d.ball(r.gauss(0, 0.03), r.gauss(0, 0.03), 0.03, size, size * 1.3, size * 0.6, p.any())


def _carton(d: Draft, p: Palette) -> None:
    r = d.rng
    d.box(0, 0, 0, r.uniform(0.05, 0.25), r.uniform(0.05, 0.2), r.uniform(0.05, 0.3), p.any())


def _laptop(d: Draft, p: Palette) -> None:
    r = d.rng
    case = p.metal()
    d.box(0, 0, 0, 0.33, 0.23, 0.015, case)
    d.box(0, 0.02, 0.015, 0.28, 0.1, 0.003, p.make("tiles", (0.02, 0.02, 0.02), (0.1, 0.1, 0.1), tile_m=0.1))
    with d.at(0, 0.115, 0.012, lean=r.uniform(-0.5, 0.0), same=True):
        d.box(0, 0, 0, 0.33, 0.008, 0.22, case)
        d.box(0, -0.005, 0.01, 0.31, 0.004, 0.2, p.picture(0.31, 0.2, glow=r.uniform(0.5, 2)))


def _vase(d: Draft, p: Palette) -> None:
    draw_plant(d, p, height=d.rng.uniform(0.15, 0.5))


def _desk_lamp(d: Draft, p: Palette) -> None:
    r = d.rng
    metal = p.metal()
    d.tube(0, 0, 0, 0.07, 0.02, metal)
    d.tube(0, 0, 0.02, 0.01, 0.25, metal)
    d.tube(0, 0, 0.22, 0.1, 0.14, p.lamp(r.uniform(0.3, 3)), top=0.06)


def _toy(d: Draft, p: Palette) -> None:
    r = d.rng
    with d.at(0, 0, 0, scale=r.uniform(0.1, 0.25), same=True):
        r.choice((draw_person, draw_animal, draw_motorcycle))(d, p)


SMALL: tuple[Callable[[Draft, Palette], None], ...] = (
    draw_cup, draw_cup, _book, _book, _bottle, _fruit, _bowl, _plate,
    _carton, _carton, _laptop, _vase, _desk_lamp, _toy, _papers,
)  # fmt: skip
