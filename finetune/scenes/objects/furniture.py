"""Draws furniture at the frame's origin, w wide along x and `deep` along y, front to -y."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..textures.materials import Material, Palette
from .living import draw_animal, draw_person, draw_plant
from .things import SMALL, scatter
from .vehicles import draw_motorcycle


def draw_table(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a table or desk with things on it, sometimes with a cloth."""
    r = d.rng
    high, top, leg = (
        r.uniform(0.42, 0.9),
        p.wood() if r.random() < 0.6 else p.plastic(),
        p.metal() if r.random() < 0.4 else p.wood(),
    )
    thick = r.uniform(0.02, 0.06)
    if r.random() < 0.2:
        d.tube(0, 0, high - thick, min(w, deep) / 2, thick, top)
        d.tube(0, 0, 0, 0.05, high - thick, leg)
        d.tube(0, 0, 0, min(w, deep) / 4, 0.03, leg)
        w = deep = min(w, deep) * 0.7
    else:
        d.box(0, 0, high - thick, w, deep, thick, top)
        size = r.uniform(0.03, 0.08)
        for x in (-1, 1):
            for y in (-1, 1):
                d.box(x * (w / 2 - size), y * (deep / 2 - size), 0, size, size, high - thick, leg)
        if r.random() < 0.3:
            d.box(w * 0.3, 0, high - thick - 0.5 * high, w * 0.3, deep * 0.9, 0.5 * high, p.wood())
    scatter(d, p, w * 0.85, deep * 0.85, high, r.randint(1, 7))


def draw_chair(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a chair, sometimes with a person on it."""
    r = d.rng
    seat, leg = p.cloth() if r.random() < 0.5 else p.wood(), p.metal() if r.random() < 0.5 else p.wood()
    side, size = 0.46, r.uniform(0.025, 0.05)
    d.box(0, 0, 0.42, side, side, 0.05, seat)
    for x in (-1, 1):
        for y in (-1, 1):
            d.box(x * (side / 2 - size), y * (side / 2 - size), 0, size, size, 0.42, leg)
        d.box(x * (side / 2 - size), side / 2 - size, 0.47, size, size, 0.45, leg)
    if r.random() < 0.5:
        d.box(0, side / 2 - size, 0.62, side - 0.02, 0.03, 0.32, seat)
    else:
        for k in range(3):
            d.box(0, side / 2 - size, 0.58 + 0.12 * k, side - 0.03, 0.02, 0.06, leg)
    if r.random() < 0.25:
        with d.at(0, 0.05, 0):
            draw_person(d, p, sitting=True, detail=r.random() < 0.6)


def draw_sofa(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a sofa or armchair with cushions, sometimes with a person or an animal on it."""
    r = d.rng
    cloth, arm = p.cloth(), r.uniform(0.12, 0.22)
    back = r.uniform(0.65, 0.95)
    d.box(0, 0, 0.08, w, deep, 0.3, cloth)
    d.box(0, deep / 2 - 0.1, 0.1, w, 0.2, back - 0.1, cloth)
    for side in (-1, 1):
        d.box(side * (w / 2 - arm / 2), 0, 0.08, arm, deep, 0.5, cloth)
    seats = max(1, round(w / 0.75))
    inner = (w - 2 * arm) / seats
    seat = p.cloth() if r.random() < 0.3 else cloth
    for k in range(seats):
        d.box(-w / 2 + arm + inner * (k + 0.5), -0.07, 0.36, inner * 0.97, deep - 0.3, 0.12, seat)
    for _ in range(r.randint(0, 3)):
        with d.at(r.uniform(-0.4, 0.4) * w, deep * 0.15, 0.62, yaw=r.gauss(0, 0.4), lean=r.uniform(0.2, 0.5)):
            d.ball(0, 0, 0, 0.22, 0.08, 0.2, p.cloth())
    if r.random() < 0.35:
        with d.at(r.uniform(-0.25, 0.25) * w, deep * 0.1, 0):
            draw_person(d, p, sitting=True)
    elif r.random() < 0.25:
        with d.at(r.uniform(-0.25, 0.25) * w, -0.05, 0.48, yaw=r.uniform(-1, 1)):
            draw_animal(d, p, length=0.4)


def draw_shelf(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw an open shelf with books and things."""
    r = d.rng
    high, body = r.uniform(0.8, 2.1), p.wood()
    deep, levels = min(deep, 0.4), r.randint(2, 5)
    d.box(0, deep / 2 - 0.01, 0, w, 0.02, high, body)
    for side in (-1, 1):
        d.box(side * (w / 2 - 0.015), 0, 0, 0.03, deep, high, body)
    for k in range(levels + 1):
        d.box(0, 0, high * k / levels * 0.97, w, deep, 0.03, body)
    for k in range(levels):
        z, room = high * k / levels * 0.97 + 0.03, high / levels * 0.97 - 0.05
        x = -w / 2 + 0.05
        while x < w / 2 - 0.1:
            if r.random() < 0.55:
                wide = r.uniform(0.1, 0.35)
                wide = min(wide, w / 2 - 0.05 - x)
                d.box(x + wide / 2, -0.02, z, wide, deep * r.uniform(0.5, 0.8), room * r.uniform(0.5, 0.95), _books(p))
                x += wide + 0.02
            elif r.random() < 0.5:
                with d.at(x + 0.1, -0.02, z, scale=0.8):
                    r.choice(SMALL)(d, p)
                x += 0.25
            else:
                x += r.uniform(0.1, 0.4)


def _books(p: Palette) -> Material:
    """Return a material for the spines of a row of books."""
    return p.make(
        p.rng.choice(("stripes", "stripes", "text", "plaid")),
        p.colour(),
        p.colour(),
        tile_m=p.rng.uniform(0.2, 0.4),
        other=p.colour(),
    )


def draw_cabinet(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a chest, cupboard, fridge, oven or wardrobe with doors and handles."""
    r = d.rng
    high = r.choice((r.uniform(0.5, 1.0), r.uniform(1.5, 2.1)))
    body, front, knob = (
        p.wood() if r.random() < 0.6 else p.plastic(),
        p.wood() if r.random() < 0.5 else p.plastic(),
        p.metal(),
    )
    d.box(0, 0, 0, w, deep, high, body)
    columns, rows = max(1, round(w / 0.6)), 1 if high > 1.2 else r.randint(1, 3)
    for i in range(columns):
        for k in range(rows):
            x, z = w * ((i + 0.5) / columns - 0.5), 0.05 + (high - 0.1) * k / rows
            d.box(x, -deep / 2 - 0.008, z, w / columns * 0.92, 0.016, (high - 0.1) / rows * 0.92, front)
            d.ball(x + w / columns * 0.35, -deep / 2 - 0.03, z + (high - 0.1) / rows * 0.5, 0.018, 0.02, 0.018, knob)
    if high < 1.2:
        scatter(d, p, w * 0.8, deep * 0.6, high, r.randint(0, 4))
        if r.random() < 0.4:
            _screen(d, p, high)


def _screen(d: Draft, p: Palette, z: float) -> None:
    """Draw a television on its foot."""
    r = d.rng
    w = r.uniform(0.6, 1.3)
    case = p.even((0.02, 0.02, 0.02), gloss=0.3)
    d.box(0, 0, z, w * 0.4, 0.2, 0.02, case)
    d.box(0, 0, z + 0.02, 0.05, 0.04, 0.1, case)
    d.box(0, 0, z + 0.1, w, 0.04, w * 0.58, case)
    d.box(0, -0.022, z + 0.12, w * 0.97, 0.006, w * 0.54, p.picture(w * 0.97, w * 0.54, glow=r.uniform(0.5, 2)))


def draw_kitchen(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a kitchen counter with doors, hob or sink, things on it, and cupboards above."""
    r = d.rng
    front, top, knob = r.choice((p.plastic, p.wood, p.paint))(), r.choice((p.wood, p.plastic, p.floor))(), p.metal()
    d.box(0, 0.02, 0, w, deep - 0.04, 0.86, front)
    d.box(0, 0, 0.86, w + 0.02, deep, 0.04, top)
    doors = max(1, round(w / 0.55))
    for k in range(doors):
        x = w * ((k + 0.5) / doors - 0.5)
        d.box(x, -deep / 2 + 0.01, 0.12, w / doors * 0.94, 0.02, 0.7, front)
        d.box(x, -deep / 2 - 0.015, 0.76, 0.14, 0.02, 0.015, knob)
    if r.random() < 0.6:
        x = r.uniform(-0.3, 0.3) * w
        d.box(x, 0, 0.9, 0.5, 0.4, 0.004, p.even((0.03, 0.03, 0.03), gloss=0.8))
        d.bar((x, deep * 0.35, 0.9), (x, deep * 0.35, 1.15), 0.012, knob)
        d.bar((x, deep * 0.35, 1.15), (x, 0.05, 1.12), 0.01, knob)
    scatter(d, p, w * 0.9, deep * 0.7, 0.9, r.randint(1, 6))
    if r.random() < 0.75:
        above = p.wood() if r.random() < 0.3 else front
        for k in range(doors):
            x = w * ((k + 0.5) / doors - 0.5)
            d.box(x, deep / 2 - 0.18, 1.42, w / doors * 0.985, 0.34, 0.62, above)


def draw_stairs(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a flight of steps that rises towards +y, with rails."""
    r, tread, rail = d.rng, p.wood() if d.rng.random() < 0.7 else p.floor(), p.metal()
    steps, rise = max(3, round(deep / 0.27)), r.uniform(0.14, 0.19)
    for k in range(steps):
        y = -deep / 2 + deep * (k + 0.5) / steps
        d.box(0, y, rise * k, w, deep / steps + 0.02, rise, tread)
    for x in (-w / 2 + 0.04, w / 2 - 0.04):
        low, high = (x, -deep / 2, rise + 0.85), (x, deep / 2, rise * steps + 0.85)
        d.bar(low, high, 0.025, rail)
        for k in range(0, steps, 2):
            y = -deep / 2 + deep * (k + 0.5) / steps
            d.box(x, y, rise * (k + 1), 0.03, 0.03, 0.85, rail)


def draw_bed(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a bed with pillows and blanket; the head is at +y."""
    r = d.rng
    frame, sheet, blanket = p.wood(), p.cloth(), p.cloth()
    w, deep = min(w, 1.8), max(deep, 1.9)
    d.box(0, 0, 0.1, w, deep, 0.2, frame)
    d.box(0, 0, 0.3, w * 0.97, deep * 0.97, 0.2, sheet)
    d.box(0, -0.2, 0.42, w * 1.02, deep * 0.65, 0.1, blanket)
    d.box(0, deep / 2, 0, w, 0.06, r.uniform(0.7, 1.2), frame)
    for x in (-0.25, 0.25):
        d.ball(x * w, deep * 0.36, 0.54, w * 0.2, 0.2, 0.09, p.cloth() if r.random() < 0.3 else sheet)
    if r.random() < 0.25:
        with d.at(r.uniform(-0.2, 0.2) * w, -0.2, 0.52, yaw=r.uniform(0, 6)):
            draw_animal(d, p, length=0.4)


def draw_lamp(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a floor lamp."""
    r = d.rng
    high, metal = r.uniform(1.2, 1.8), p.metal()
    d.tube(0, 0, 0, 0.14, 0.03, metal)
    d.tube(0, 0, 0.03, 0.012, high, metal)
    d.tube(0, 0, high - 0.05, r.uniform(0.15, 0.22), 0.25, p.lamp(r.uniform(0.5, 4)), top=0.11)


def draw_figure(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a standing person, or an animal."""
    if d.rng.random() < 0.8:
        draw_person(d, p, detail=d.rng.random() < 0.6)
    else:
        draw_animal(d, p)


def draw_pot(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a pot plant on the floor."""
    draw_plant(d, p, height=d.rng.uniform(0.4, 1.8))


def draw_crates(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a stack of boxes, balls and bags."""
    r = d.rng
    z = 0.0
    for _ in range(r.randint(1, 3)):
        side, high = r.uniform(0.25, 0.55), r.uniform(0.15, 0.45)
        with d.at(r.gauss(0, 0.05), r.gauss(0, 0.05), z, yaw=r.uniform(0, 1.5)):
            d.box(0, 0, 0, side, side * r.uniform(0.7, 1.3), high, p.any())
        z += high
    if r.random() < 0.4:
        d.ball(0.4, -0.3, 0.12, 0.12, 0.12, 0.12, p.any())


def park_motorcycle(d: Draft, p: Palette, w: float, deep: float) -> None:
    """Draw a motorcycle or bicycle."""
    draw_motorcycle(d, p)


Furnish = Callable[[Draft, Palette, float, float], None]
# Function, least and greatest width, least and greatest depth, whether it stands against a wall, weight in the draw.
FURNITURE: tuple[tuple[Furnish, float, float, float, float, bool, float], ...] = (
    (draw_table, 0.6, 1.8, 0.6, 1.0, False, 3),
    (draw_chair, 0.5, 0.5, 0.5, 0.5, False, 3),
    (draw_sofa, 0.8, 2.4, 0.8, 1.0, True, 2),
    (draw_shelf, 0.6, 1.8, 0.3, 0.4, True, 2),
    (draw_cabinet, 0.5, 1.8, 0.4, 0.65, True, 2.5),
    (draw_kitchen, 1.2, 3.2, 0.55, 0.65, True, 1.5),
    (draw_stairs, 0.8, 1.2, 1.4, 2.2, False, 0.4),
    (draw_bed, 1.0, 1.8, 1.9, 2.1, True, 1),
    (draw_lamp, 0.4, 0.4, 0.4, 0.4, False, 1),
    (draw_figure, 0.5, 0.5, 0.5, 0.5, False, 3),
    (draw_pot, 0.5, 0.5, 0.5, 0.5, False, 1),
    (draw_crates, 0.6, 0.6, 0.6, 0.6, False, 1),
    (park_motorcycle, 1.6, 1.6, 0.7, 0.7, False, 0.3),
)
