"""Draws materials at random within a kind: a texture, and the colours that its three channels of weights add.

A material is a flat tuple of floats in the order of MATERIAL_FIELDS, so that materials of a batch form an array.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field
from random import Random

from .textures import PICTURE_SLOTS, SLOTS

Material = tuple[float, ...]
Colour = tuple[float, float, float]

MATERIAL_FIELDS = (
    "slot", "su", "sv", "ou", "ov",  # texture, tiles per metre (around a curved side too), offset
    "r0", "g0", "b0", "r1", "g1", "b1", "r2", "g2", "b2", "r3", "g3", "b3",  # base, then a colour for each weight
    "gloss", "shine", "glow", "stain", "bump", "nature",
)  # fmt: skip
FIELD_AT = {name: at for at, name in enumerate(MATERIAL_FIELDS)}
PLAIN, MIRROR, ART, FLAT = 0.0, 1.0, 2.0, 3.0  # nature: masks mark mirrors and art; FLAT has no shading


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return linear RGB of a hue, saturation and value; the value is linear light."""
    return colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), value)


@dataclass(slots=True)
class Palette:
    """Draws the materials of a scene; every call returns another material."""

    rng: Random
    saturation: float = field(init=False)
    tint: float = field(init=False)

    def __post_init__(self) -> None:
        self.saturation = self.rng.uniform(0.15, 1.0)
        self.tint = self.rng.random()

    def colour(self, low: float = 0.03, high: float = 0.85) -> Colour:
        """Return a random colour; half of the colours of a scene have similar hues."""
        r = self.rng
        hue = self.tint + r.gauss(0, 0.12) if r.random() < 0.5 else r.random()
        return hsv(hue, self.saturation * r.random() ** 0.8, low + (high - low) * r.random() ** 1.4)

    def make(
        self,
        kind: str,
        base: Colour,
        figure: Colour,
        *,
        tile_m: float,
        other: Colour | None = None,
        aspect: float = 1.0,
        gloss: float = 0.0,
        shine: float = 20.0,
        glow: float = 0.0,
        stain: float = 0.3,
        bump: float = 0.0,
    ) -> Material:
        """Return a material of two or three colours.

        Args:
            kind: Name of a pattern.
            base, figure: Colours for pattern values 0 and 1.
            tile_m: Height of a tile of the pattern.
            other: Colour that the slow variation leans to; None for a colour close to the base.
            aspect: Width of a tile over its height.
            gloss: Strength of highlights. shine: Their sharpness.
            glow: Emitted light over the colour.
            stain: Strength of large stains.
            bump: Strength of the tilt of the normal by the texture.
        """
        pick = self.rng.random
        slots = SLOTS[kind]
        slot = float(slots.start + int(pick() * len(slots)))
        slow, grain = 0.5 * pick(), 0.18 * pick()
        (b0, b1, b2), (f0, f1, f2) = base, figure
        if other is None:
            shift = slow * (pick() - 0.5)
            s0, s1, s2 = b0 * shift, b1 * shift, b2 * shift
        else:
            s0, s1, s2 = (other[0] - b0) * slow, (other[1] - b1) * slow, (other[2] - b2) * slow
        g0, g1, g2 = (f0 + b0) * grain, (f1 + b1) * grain, (f2 + b2) * grain
        return (
            slot, 1 / (tile_m * aspect), -1 / tile_m, pick(), pick(),
            b0 - 0.5 * (s0 + g0), b1 - 0.5 * (s1 + g1), b2 - 0.5 * (s2 + g2),
            f0 - b0, f1 - b1, f2 - b2, s0, s1, s2, g0, g1, g2,
            gloss, shine, glow, stain, bump, PLAIN,
        )  # fmt: skip

    def wood(self) -> Material:
        """Return boards, pale to dark."""
        r = self.rng
        base = hsv(r.uniform(0.04, 0.11), r.uniform(0.3, 0.8), r.uniform(0.08, 0.6))
        figure = tuple(c * r.uniform(0.3, 0.8) for c in base)
        return self.make(
            "wood", base, (figure[0], figure[1], figure[2]), tile_m=r.uniform(0.5, 2.0), gloss=r.choice((0.0, 0.1, 0.3))
        )

    def paint(self) -> Material:
        """Return a wall: painted, papered, panelled, bare."""
        r = self.rng
        kind = r.choice(
            ("plaster", "plaster", "plaster", "noise", "stripes", "blossoms", "brick", "tiles", "wood", "dots", "plaid")
        )
        base = (
            self.colour(0.15, 0.9)
            if r.random() < 0.7
            else hsv(r.uniform(0.05, 0.15), r.uniform(0, 0.25), r.uniform(0.4, 0.9))
        )
        contrast = r.uniform(0.6, 1.1) if kind == "plaster" else r.uniform(0.3, 1.5)
        figure = (
            self.colour(0.1, 0.9) if kind not in ("plaster", "wood") and r.random() < 0.5 else _scaled(base, contrast)
        )
        return self.make(kind, base, figure, tile_m=r.uniform(0.6, 3.0))

    def ceiling(self) -> Material:
        """Return a ceiling, mostly pale."""
        r = self.rng
        base = hsv(r.random(), r.uniform(0, 0.15), r.uniform(0.4, 0.9)) if r.random() < 0.8 else self.colour()
        return self.make(
            r.choice(("plaster", "plaster", "tiles", "wood")),
            base,
            _scaled(base, r.uniform(0.6, 1.1)),
            tile_m=r.uniform(1, 3),
        )

    def floor(self) -> Material:
        """Return boards, tiles, carpet, stone."""
        r = self.rng
        kind = r.choice(
            ("wood", "wood", "tiles", "tiles", "checker", "carpet", "marble", "stones", "noise", "scratches", "weave")
        )
        if kind == "wood":
            return self.wood()
        base = self.colour(0.05, 0.7)
        figure = self.colour(0.03, 0.8) if r.random() < 0.5 else _scaled(base, r.uniform(0.3, 1.6))
        return self.make(kind, base, figure, tile_m=r.uniform(0.6, 3.0), gloss=r.choice((0.0, 0.0, 0.2, 0.5)), shine=40)

    def cloth(self) -> Material:
        """Return fabric."""
        r = self.rng
        kind = r.choice(
            ("weave", "weave", "plaid", "stripes", "dots", "blossoms", "carpet", "noise", "plaster", "text")
        )
        base = self.colour()
        figure = self.colour() if r.random() < 0.5 else _scaled(base, r.uniform(0.4, 1.5))
        return self.make(kind, base, figure, tile_m=r.uniform(0.15, 0.8), bump=r.uniform(0, 0.4))

    def any(self) -> Material:
        """Return a random pattern in random colours: clutter, toys, boxes."""
        r = self.rng
        kind = r.choice(tuple(SLOTS))
        gloss = r.choice((0.0, 0.0, 0.3, 0.8))
        return self.make(
            kind, self.colour(), self.colour(), tile_m=r.uniform(0.1, 1.0), gloss=gloss, shine=r.uniform(10, 80)
        )

    def plastic(self) -> Material:
        """Return a nearly even, glossy surface: crockery, plastic, lacquer."""
        r = self.rng
        base = self.colour(0.02, 0.9)
        return self.make(
            "plaster",
            base,
            _scaled(base, r.uniform(0.8, 1.1)),
            tile_m=0.5,
            gloss=r.uniform(0.1, 1.0),
            shine=r.uniform(15, 120),
            stain=0.1,
        )

    def metal(self) -> Material:
        """Return steel, brass, painted metal."""
        r = self.rng
        base = hsv(r.uniform(0.05, 0.16), r.uniform(0, 0.5), r.uniform(0.05, 0.5))
        return self.make(
            "scratches",
            base,
            _scaled(base, r.uniform(0.7, 1.6)),
            tile_m=0.7,
            gloss=r.uniform(0.3, 1.2),
            shine=r.uniform(15, 60),
        )

    def skin(self) -> Material:
        """Return human skin."""
        r = self.rng
        base = hsv(r.uniform(0.03, 0.08), r.uniform(0.35, 0.65), r.uniform(0.08, 0.75))
        return self.make("plaster", base, _scaled(base, 0.85), tile_m=0.4, gloss=0.12, shine=15, stain=0.15)

    def fur(self) -> Material:
        """Return fur or hair."""
        r = self.rng
        base = hsv(r.uniform(0.03, 0.12), r.uniform(0.0, 0.7), r.uniform(0.02, 0.7))
        figure = hsv(r.uniform(0.03, 0.12), r.uniform(0.0, 0.7), r.uniform(0.02, 0.8))
        return self.make("fur", base, figure, tile_m=r.uniform(0.15, 0.5), gloss=0.1, bump=0.5)

    def hair(self) -> Material:
        """Return hair of a person."""
        r = self.rng
        base = hsv(r.uniform(0.03, 0.13), r.uniform(0.2, 0.7), r.choice((0.02, 0.05, 0.1, 0.3, 0.5)))
        return self.make("fur", base, _scaled(base, 0.4), tile_m=0.3, gloss=0.15, bump=0.6)

    def leaves(self) -> Material:
        """Return foliage: green, or of autumn, or in blossom."""
        r = self.rng
        hue = r.uniform(0.2, 0.36) if r.random() < 0.8 else r.uniform(0.0, 0.17)
        figure = hsv(hue, r.uniform(0.4, 0.9), r.uniform(0.1, 0.5))
        return self.make("foliage", _scaled(figure, 0.15), figure, tile_m=r.uniform(0.5, 1.6), bump=r.uniform(0.8, 2.0))

    def ground(self) -> Material:
        """Return grass, earth, gravel, paving, snow, sand."""
        r = self.rng
        kind = r.choice(("grass", "grass", "grass", "stones", "noise", "tiles", "brick", "scratches"))
        if kind == "grass":
            base = hsv(r.uniform(0.12, 0.33), r.uniform(0.3, 0.8), r.uniform(0.05, 0.35))
            return self.make(
                kind,
                base,
                _scaled(base, r.uniform(1.2, 2.5)),
                tile_m=r.uniform(1.0, 3),
                bump=0.6,
                other=hsv(r.uniform(0.05, 0.2), 0.6, 0.3),
            )
        base = hsv(r.uniform(0.03, 0.15), r.uniform(0, 0.6), 0.06 + 0.5 * r.random() ** 2)
        return self.make(
            kind, base, _scaled(base, r.uniform(0.5, 1.5)), tile_m=r.uniform(0.7, 2), stain=0.3, bump=r.uniform(0, 0.8)
        )

    def asphalt(self) -> Material:
        """Return road surface."""
        r = self.rng
        base = hsv(r.uniform(0.0, 0.7), r.uniform(0, 0.1), r.uniform(0.03, 0.3))
        return self.make(
            r.choice(("noise", "plaster", "scratches", "stones")),
            base,
            _scaled(base, r.uniform(0.6, 1.5)),
            tile_m=r.uniform(0.8, 2.5),
            stain=0.3,
            bump=0.5,
        )

    def facade(self) -> Material:
        """Return a wall with rows of windows."""
        r = self.rng
        wall = (
            self.colour(0.08, 0.8)
            if r.random() < 0.5
            else hsv(r.uniform(0.02, 0.13), r.uniform(0, 0.6), r.uniform(0.15, 0.7))
        )
        pane = hsv(r.uniform(0.5, 0.65), r.uniform(0.1, 0.6), r.uniform(0.02, 0.4))
        slots = SLOTS["facade"]
        slot = float(slots.start + int(r.random() * len(slots)))
        frame = hsv(r.random(), r.uniform(0, 0.3), r.uniform(0.05, 0.9))
        storeys = r.uniform(6, 12)
        return (
            slot, 1 / (storeys * r.uniform(0.7, 1.3)), -1 / storeys, r.random(), r.random(),
            0.02, 0.02, 0.02, *wall, *pane, *frame, 0.1, 30.0, 0.0, 0.4, 0.0, PLAIN,
        )  # fmt: skip

    def picture(self, w: float, h: float, *, glow: float = 0.0) -> Material:
        """Return a picture that fills the face (x, z) of a box, w by h metres."""
        r = self.rng
        slot = float(PICTURE_SLOTS.start + int(r.random() * len(PICTURE_SLOTS)))
        gain = r.uniform(0.6, 1.2)
        mix = (gain, 0.0, 0.0, 0.0, gain, 0.0, 0.0, 0.0, gain)
        if r.random() < 0.15:
            grey = gain / 3
            mix = (grey,) * 9
        margin = r.choice((1.0, 1.0, 0.6))
        return (slot, margin / w, -margin / h, 0.5, 0.5, 0.0, 0.0, 0.0, *mix, 0.1, 60.0, glow, 0.0, 0.0, ART)

    def mirror(self) -> Material:
        """Return a mirror; its base colour tints reflections."""
        r = self.rng
        base = _scaled((0.9, 0.92, 0.9), r.uniform(0.7, 1.0))
        return (0.0, 1.0, 1.0, 0.0, 0.0, *base, *(0.0,) * 9, 0.0, 1.0, 0.0, 0.0, 0.0, MIRROR)

    def lamp(self, strength: float = 4.0) -> Material:
        """Return a glowing shade."""
        base = hsv(self.rng.uniform(0.05, 0.16), self.rng.uniform(0.05, 0.5), 0.8)
        return self.make("plaster", base, _scaled(base, 0.9), tile_m=0.5, glow=strength, stain=0.0)

    def even(self, colour: Colour, *, gloss: float = 0.0) -> Material:
        """Return a uniform colour."""
        return (0.0, 1.0, 1.0, 0.0, 0.0, *colour, *(0.0,) * 9, gloss, 40.0, 0.0, 0.0, 0.0, PLAIN)


def flat(material: Material) -> Material:
    """Return the material without shading, as in a cartoon."""
    return (*material[:-1], FLAT)


def _scaled(colour: Colour, factor: float) -> Colour:
    return (min(colour[0] * factor, 1.0), min(colour[1] * factor, 1.0), min(colour[2] * factor, 1.0))
