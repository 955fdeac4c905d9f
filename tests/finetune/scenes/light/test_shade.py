"""Shading: light and its absence, fading, haze, flat materials, cartoons and the sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from seen_scenes import made_draft

from depthrt.finetune.scenes.draft import Air, Draft, Eye, Light
from depthrt.finetune.scenes.light.shade import Shader
from depthrt.finetune.scenes.light.shadow import cast_shadows
from depthrt.finetune.scenes.rays.camera import camera_views, cameras_of
from depthrt.finetune.scenes.rays.cast import cast
from depthrt.finetune.scenes.rays.solids import gather_solids
from depthrt.finetune.scenes.textures.materials import Material, Palette, flat
from depthrt.finetune.scenes.textures.patterns import SIDE_PX
from depthrt.finetune.scenes.textures.textures import PICTURE_SLOTS, Bank

GREY = (0.5, 0.5, 0.5)
NO_LIGHT = Light((0.0, 0.0, 9.0), (0.0, 4.0, 0.0), 0.7, (0.0, 0.0, 0.0), True, 1.0)
SUN = Light((0.0, -100.0, 1.6), (0.0, 4.0, 1.6), 0.05, (1.0, 1.0, 1.0), False, 1.0)
DARK_AIR = Air(ambient_up=(0.0, 0.0, 0.0), ambient_down=(0.0, 0.0, 0.0))
EXACT = 1e-4  # float32 after a dozen steps


@pytest.fixture(scope="module")
def bank() -> Bank:
    """Textures with weights of 0.5 everywhere."""
    return Bank(torch.full((PICTURE_SLOTS.stop, 3, SIDE_PX, SIDE_PX), 0.5))


def wall(material: Callable[[Palette], Material]) -> Callable[[Draft, Palette], None]:
    """Return what draws a wall 4 m ahead that fills the image."""
    return lambda d, p: d.box(0, 4.5, -50, 100, 1, 100, material(p))


def colour_of(
    content: Callable[[Draft, Palette], None], bank: Bank, air: Air, lights: tuple[Light, Light], *, pitch: float = 0.0
) -> torch.Tensor:
    """Return the mean colour in the middle of the image, (3,)."""
    solids = gather_solids([made_draft(content)], "cpu")
    shadows = [cast_shadows(solids, [light], 64, "cpu") for light in lights]
    shader = Shader(solids, shadows, [lights], [air], bank)
    views = camera_views(cameras_of([Eye(pitch_rad=pitch, fov_rad=0.1)], "cpu"), 8, 8)
    hits, tiles = cast(solids, views), torch.tensor([0])
    if not bool((hits.solid >= 0).any()):
        return shader.shade_sky(views, tiles)[:, 0].mean(1)
    return shader.shade(views, hits, tiles).colour[:, 0].mean(1)


def even(p: Palette) -> Material:
    return p.even(GREY)


def test_without_light_everything_is_black_but_flat_and_glowing_materials(bank: Bank) -> None:
    none = (NO_LIGHT, NO_LIGHT)
    assert colour_of(wall(even), bank, DARK_AIR, none).tolist() == [0.0, 0.0, 0.0]
    assert colour_of(wall(lambda p: flat(even(p))), bank, DARK_AIR, none).tolist() == pytest.approx(GREY)
    assert float(colour_of(wall(lambda p: p.lamp(3.0)), bank, DARK_AIR, none).min()) > 0.5


def test_a_surface_that_faces_the_sun_reflects_its_colour(bank: Bank) -> None:
    sun = replace(SUN, colour=(0.5, 1.0, 2.0))
    found = colour_of(wall(even), bank, DARK_AIR, (sun, NO_LIGHT))
    assert found.tolist() == pytest.approx([0.25, 0.5, 1.0], rel=0.01)


def test_both_lights_and_the_ambient_light_add_up(bank: Bank) -> None:
    air = replace(DARK_AIR, ambient_up=(0.2, 0.2, 0.2), ambient_down=(0.2, 0.2, 0.2))
    parts = [
        colour_of(wall(even), bank, DARK_AIR, (SUN, NO_LIGHT)),
        colour_of(wall(even), bank, DARK_AIR, (NO_LIGHT, SUN)),
        colour_of(wall(even), bank, air, (NO_LIGHT, NO_LIGHT)),
    ]
    assert torch.allclose(colour_of(wall(even), bank, air, (SUN, SUN)), sum(parts, torch.zeros(3)), atol=EXACT)


def test_a_lamp_fades_with_the_square_of_the_distance(bank: Bank) -> None:
    lamps = [Light((0.0, y, 1.6), (0.0, 4.0, 1.6), 0.5, (1.0, 1.0, 1.0), True, 1.0) for y in (2.0, 0.0)]
    near, far = (float(colour_of(wall(even), bank, DARK_AIR, (lamp, NO_LIGHT))[0]) for lamp in lamps)
    assert near == pytest.approx(4 * far, rel=0.02)


def test_haze_brings_distant_surfaces_to_the_colour_of_the_horizon(bank: Bank) -> None:
    horizon = (0.9, 0.8, 0.7)
    shares = []
    for haze in (0.0, 0.25, 100.0):
        air = replace(DARK_AIR, haze_per_m=haze, horizon=horizon)
        shares.append(float(colour_of(wall(even), bank, air, (NO_LIGHT, NO_LIGHT))[0]) / horizon[0])
    assert shares == pytest.approx([0.0, 1 - 2.718281828**-1, 1.0], abs=0.01)  # the wall is 4 m away


def test_the_corners_of_a_room_are_darker_and_daylight_is_outside(bank: Bank) -> None:
    def lit(corner: tuple[float, float]) -> float:
        air = Air(ambient_up=GREY, ambient_down=GREY, corner=((-10, -10, -10), (corner[0], corner[1], 20)), daylight=5)
        return float(colour_of(wall(even), bank, air, (NO_LIGHT, NO_LIGHT))[0])

    inside, in_a_corner, outside = lit((10, 10)), lit((0.1, 4.0)), lit((10, 3.0))
    assert in_a_corner < 0.5 * inside < 5 * inside * 0.9 < outside


def test_the_light_of_a_cartoon_has_steps(bank: Bank) -> None:
    def lit(turn: float, toon: bool) -> float:
        def content(d: Draft, p: Palette) -> None:
            with d.at(0, 4, 1.6, yaw=turn):
                d.box(0, 0, -20, 40, 0.1, 40, even(p))

        return float(colour_of(content, bank, replace(DARK_AIR, toon=toon), (SUN, NO_LIGHT))[0])

    turns = (0.0, 0.3, 0.6, 1.0, 1.1)  # steps end at cosines of 1/3 and 2/3, about 1.23 and 0.84
    smooth, stepped = ([round(lit(turn, toon), 3) for turn in turns] for toon in (False, True))
    assert smooth == sorted(set(smooth), reverse=True) and len(smooth) == 5
    assert stepped[0] == stepped[1] == stepped[2] > stepped[3] == stepped[4] > 0


def test_the_sky_goes_from_horizon_to_zenith(bank: Bank) -> None:
    def nothing(d: Draft, p: Palette) -> None: ...

    air = Air(zenith=(0.1, 0.2, 0.8), horizon=(0.9, 0.9, 0.9), clouds=-1.0)
    level, up = (colour_of(nothing, bank, air, (SUN, SUN), pitch=pitch) for pitch in (0.0, 1.5))
    assert up.tolist() == pytest.approx(air.zenith, abs=0.01)
    assert float(level[2] - level[0]) < 0.3 < float(up[2] - up[0])
    cloudy = colour_of(nothing, bank, replace(air, clouds=1.2), (SUN, SUN), pitch=1.5)
    assert float(cloudy[0]) > 2 * float(up[0])
