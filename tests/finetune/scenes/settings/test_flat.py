"""Flat things: mirror and painting are in their wall, and the floor has tiles of strong contrast."""

from __future__ import annotations

import pytest
from seen_scenes import extent, rows_of

from depthrt.finetune.scenes.draft import THING
from depthrt.finetune.scenes.settings.compose import draft_scene
from depthrt.finetune.scenes.settings.stage import OTHER, SUBJECT, SURFACE
from depthrt.finetune.scenes.textures.materials import ART, FIELD_AT, MIRROR
from depthrt.finetune.scenes.textures.textures import RENDERED_SLOTS

SEEDS = range(12)
NATURE, SLOT = THING + 1 + FIELD_AT["nature"], THING + 1 + FIELD_AT["slot"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("setting", "nature"), [("mirror", MIRROR), ("painting", ART)])
def test_a_mirror_or_painting_is_framed_and_in_its_wall(setting: str, nature: float, seed: int) -> None:
    _, draft = draft_scene(seed, setting)
    ((flat,), frame, (wall,)) = (rows_of(draft, thing) for thing in (SUBJECT, OTHER, SURFACE))
    assert flat[NATURE] == nature and len(frame) == 4
    face, wall_face = flat[2] - flat[14], wall[2] - wall[14]
    assert 0 < wall_face - face < 0.003
    (x0, _, z0), (x1, _, z1) = extent(frame)
    assert x0 < flat[1] - flat[13] and flat[1] + flat[13] < x1 and z0 < flat[3] - flat[15] and flat[3] + flat[15] < z1
    assert draft.eye.position[1] < wall_face - 1.8
    if nature == ART:
        assert flat[SLOT] in RENDERED_SLOTS
    else:
        assert any(row[2] < draft.eye.position[1] and row[THING] > SURFACE for row in draft.solids)  # to be reflected


@pytest.mark.parametrize("seed", SEEDS)
def test_tiles_have_contrast_and_the_camera_is_tilted(seed: int) -> None:
    _, draft = draft_scene(seed, "tiles")
    (floor,) = rows_of(draft, SURFACE)
    weight = sum(floor[THING + 1 + FIELD_AT[name]] for name in ("r1", "g1", "b1"))
    assert weight > 0.2 and floor[3] + floor[15] == pytest.approx(0, abs=1e-9)
    assert abs(draft.eye.roll_rad) > 0.09 and draft.eye.pitch_rad < 0
