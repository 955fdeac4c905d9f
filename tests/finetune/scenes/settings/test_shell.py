"""The shell of a room: closed walls but for the openings, and windows in their walls."""

from __future__ import annotations

import math
from random import Random

import pytest

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.settings.shell import WALL_M, Opening, Room, Window, build_shell
from depthrt.finetune.scenes.textures.materials import Palette

ROOM = Room(4.0, 5.0, 2.6)
SEEDS = range(30)


def shell(seed: int) -> tuple[Draft, list[Window]]:
    draft = Draft(Random(seed))
    return draft, build_shell(draft, Palette(draft.rng), ROOM)


def is_solid(draft: Draft, point: tuple[float, float, float]) -> bool:
    """Return whether a point is inside a box of the room."""
    for row in draft.solids:
        offset = [p - c for p, c in zip(point, row[1:4], strict=True)]
        local = [sum(row[4 + 3 * k + axis] * offset[k] for k in range(3)) for axis in range(3)]
        if row[0] == 0 and all(abs(value) <= half for value, half in zip(local, row[13:16], strict=True)):
            return True
    return False


@pytest.mark.parametrize("seed", SEEDS)
def test_windows_are_holes_in_the_middle_of_their_walls(seed: int) -> None:
    draft, windows = shell(seed)
    assert len(windows) == len(draft.windows)
    for opening, (x, y, z), yaw in windows:
        assert 0 < opening.z0 < opening.z1 < ROOM.high
        outward = (-math.sin(yaw), math.cos(yaw))  # of the wall
        distance = x * outward[0] + (y - ROOM.deep / 2) * outward[1]
        half = ROOM.deep / 2 if abs(outward[1]) > 0.5 else ROOM.w / 2
        assert distance == pytest.approx(half + WALL_M)
        assert opening.middle[1] == pytest.approx(z)


@pytest.mark.parametrize("seed", SEEDS)
def test_walls_floor_and_ceiling_are_closed_but_for_their_holes(seed: int) -> None:
    draft, _ = shell(seed)
    inside = WALL_M / 2
    assert is_solid(draft, (0.3, 2.0, -0.1)) and is_solid(draft, (0.3, 2.0, ROOM.high + 0.1))
    for x, y, yaw, length in ((0.0, 5.0, 0.0, 4.0), (2.0, 2.5, -math.pi / 2, 5.0), (-2.0, 2.5, math.pi / 2, 5.0)):
        at_top = (x - math.sin(yaw) * inside, y + math.cos(yaw) * inside, ROOM.high - 0.05)
        assert is_solid(draft, at_top)  # holes end below
        corner = -length / 2 + 0.05
        along = (x + math.cos(yaw) * corner, y + math.sin(yaw) * corner)
        assert is_solid(draft, (along[0] - math.sin(yaw) * inside, along[1] + math.cos(yaw) * inside, 1.3))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_shell_is_instance_zero_and_what_hangs_on_it_is_not(seed: int) -> None:
    draft, _ = shell(seed)
    assert draft.solids[0][THING] == draft.solids[1][THING] == 0
    mirrors_and_art = [row for row in draft.solids if row[-1] in (1.0, 2.0)]
    assert all(row[THING] > 0 for row in mirrors_and_art)


def test_doors_windows_and_art_occur() -> None:
    drafts = [shell(seed) for seed in SEEDS]
    assert sum(bool(windows) for _, windows in drafts) > 15
    assert sum(any(row[-1] in (1.0, 2.0) for row in draft.solids) for draft, _ in drafts) > 15
    assert any(len(windows) == 0 for _, windows in drafts)


def test_the_middle_of_an_opening_is_its_middle() -> None:
    assert Opening(1.0, 2.0, 0.5, 1.5).middle == (1.5, 1.0)
