"""Materials: every kind gives a whole tuple, in its texture and of its nature."""

from __future__ import annotations

import math
from random import Random

import pytest

from depthrt.finetune.scenes.textures.materials import (
    ART,
    FIELD_AT,
    FLAT,
    MATERIAL_FIELDS,
    MIRROR,
    PLAIN,
    Material,
    Palette,
    flat,
    hsv,
)
from depthrt.finetune.scenes.textures.textures import PICTURE_SLOTS, SLOTS

TEXTURE_OF = {
    "wood": "wood",
    "plastic": "plaster",
    "metal": "scratches",
    "skin": "plaster",
    "fur": "fur",
    "hair": "fur",
    "leaves": "foliage",
    "facade": "facade",
    "lamp": "plaster",
}
OTHERS = ("paint", "ceiling", "floor", "cloth", "any", "ground", "asphalt")
DRAWS = 40


def draws(kind: str) -> list[Material]:
    palette = Palette(Random(0))
    return [getattr(palette, kind)() for _ in range(DRAWS)]


def field(material: Material, name: str) -> float:
    return material[FIELD_AT[name]]


@pytest.mark.parametrize("kind", [*TEXTURE_OF, *OTHERS])
def test_a_material_is_finite_of_plain_nature_and_differs_from_call_to_call(kind: str) -> None:
    found = draws(kind)
    assert {len(material) for material in found} == {len(MATERIAL_FIELDS)}
    assert all(math.isfinite(value) for material in found for value in material)
    assert {field(material, "nature") for material in found} == {PLAIN}
    assert all(field(material, name) != 0 for material in found for name in ("su", "sv"))
    assert len(set(found)) == DRAWS
    assert found == draws(kind)  # it follows from the generator


@pytest.mark.parametrize(("kind", "texture"), TEXTURE_OF.items())
def test_a_kind_has_its_texture(kind: str, texture: str) -> None:
    slots = {int(field(material, "slot")) for material in draws(kind)}
    assert slots <= set(SLOTS[texture])
    assert len(slots) == len(SLOTS[texture])  # all of them, after so many draws


def test_base_and_figure_are_the_colours_of_a_pattern_of_zero_and_one() -> None:
    base, figure = (0.2, 0.3, 0.4), (0.6, 0.5, 0.1)
    for _ in range(DRAWS):
        m = Palette(Random(1)).make("noise", base, figure, tile_m=0.5, aspect=2.0)
        for k, c in enumerate("rgb"):
            middle = field(m, f"{c}0") + 0.5 * (
                field(m, f"{c}2") + field(m, f"{c}3")
            )  # slow variation and grain at 0.5
            assert middle == pytest.approx(base[k])
            assert middle + field(m, f"{c}1") == pytest.approx(figure[k])
        assert (field(m, "su"), field(m, "sv")) == (1.0, -2.0)  # tiles per metre


def test_pictures_and_mirrors_have_their_nature() -> None:
    palette = Palette(Random(0))
    picture, mirror = palette.picture(2.0, 1.0, glow=0.5), palette.mirror()
    assert field(picture, "nature") == ART and int(field(picture, "slot")) in PICTURE_SLOTS
    assert field(picture, "glow") == 0.5
    assert field(picture, "sv") / field(picture, "su") == pytest.approx(-2.0)  # it fills 2 m by 1 m
    assert field(mirror, "nature") == MIRROR
    assert 0.5 < min(field(mirror, f"{c}0") for c in "rgb") <= 1


def test_a_flat_material_differs_in_its_nature_only() -> None:
    material = Palette(Random(0)).wood()
    assert flat(material)[:-1] == material[:-1] and field(flat(material), "nature") == FLAT


def test_an_even_material_has_the_same_colour_for_all_weights() -> None:
    material = Palette(Random(0)).even((0.1, 0.2, 0.3), gloss=0.7)
    assert [field(material, f"{c}0") for c in "rgb"] == [0.1, 0.2, 0.3] and field(material, "gloss") == 0.7
    assert all(field(material, f"{c}{k}") == 0 for c in "rgb" for k in (1, 2, 3))


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0.0, 1.0, 1.0), (1, 0, 0)),
        ((1 / 3, 1.0, 0.5), (0, 0.5, 0)),
        ((1.0, 2.0, 1.0), (1, 0, 0)),
        ((0.7, -1.0, 0.4), (0.4,) * 3),
    ],
)
def test_hues_wrap_and_saturation_is_clamped(colour: tuple[float, float, float], expected: tuple[float, ...]) -> None:
    assert hsv(*colour) == pytest.approx(expected)
