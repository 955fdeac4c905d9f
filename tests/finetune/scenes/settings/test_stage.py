"""Stages: a plain closed room in white light, the other light for it, and a clear day."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from seen_scenes import extent

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.settings.shell import Room
from depthrt.finetune.scenes.settings.stage import REST, SURFACE, build_stage, light_day, light_unnaturally, see, vivid
from depthrt.finetune.scenes.textures.materials import FIELD_AT, Palette

ROOM = Room(4.0, 5.0, 2.6)


def stage(apart: str = "") -> Draft:
    draft = Draft(Random(2))
    build_stage(draft, Palette(draft.rng), ROOM, apart=apart)
    return draft


def colourfulness(colour: tuple[float, float, float]) -> float:
    return (max(colour) - min(colour)) / max(colour)


def test_a_stage_is_closed_and_has_no_things() -> None:
    draft = stage()
    (x0, y0, z0), (x1, y1, z1) = extent(draft.solids)
    assert x0 < -2 and x1 > 2 and y0 < 0 and y1 > 5 and z0 < 0 and z1 > 2.6
    assert {row[THING] for row in draft.solids} == {0} and draft.thing == REST


@pytest.mark.parametrize(("apart", "axis", "face"), [("floor", 3, 0.0), ("back", 2, 5.0)])
def test_a_surface_that_is_compared_is_an_instance(apart: str, axis: int, face: float) -> None:
    (surface,) = (row for row in stage(apart).solids if row[THING] == SURFACE)
    half = surface[12 + axis]
    assert surface[axis] + (half if apart == "floor" else -half) == pytest.approx(face, abs=1e-9)


def test_a_vivid_material_has_strong_colours() -> None:
    palette = Palette(Random(0))
    for _ in range(20):
        material = vivid(palette)
        figure = [material[FIELD_AT[f"{c}0"]] + 0.5 * material[FIELD_AT[f"{c}1"]] for c in "rgb"]
        assert max(figure) > 0.2 and min(figure) < 0.5 * max(figure)


def test_unnatural_light_is_coloured_from_below_and_moves_nothing() -> None:
    natural, unnatural = stage(), stage()
    light_unnaturally(unnatural)
    assert natural.solids == unnatural.solids and len(unnatural.lights) == len(natural.lights) == 2
    for before, after in zip(natural.lights, unnatural.lights, strict=True):
        assert colourfulness(before.colour) < 0.2 and colourfulness(after.colour) > 0.9
        assert after.position[2] < 1 < before.position[2]


def test_the_sun_of_a_clear_day_is_high_behind_the_camera() -> None:
    draft = Draft(Random(1))
    light_day(draft)
    sun = np.array(draft.lights[0].position)
    assert sun[2] > 50 and sun[1] < 0 and draft.air.zenith[2] > 1.5 * draft.air.zenith[0]


def test_a_camera_looks_at_its_target() -> None:
    draft = stage()
    see(draft, (0.0, 1.0, 1.5), (0.0, 3.0, 1.5), 60)
    assert draft.eye.pitch_rad == draft.eye.yaw_rad == 0 and draft.eye.fov_rad == pytest.approx(np.pi / 3)
