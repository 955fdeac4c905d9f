"""Rooms: the camera is inside, furniture neither overlaps nor stands around the camera."""

from __future__ import annotations

from random import Random

import pytest

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.objects.furniture import FURNITURE
from depthrt.finetune.scenes.settings import rooms
from depthrt.finetune.scenes.settings.rooms import draft_room, furnish
from depthrt.finetune.scenes.settings.shell import Room
from depthrt.finetune.scenes.textures.materials import Palette

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_is_in_the_room_and_looks_to_its_back(seed: int) -> None:
    draft = Draft(Random(seed))
    draft_room(draft)
    assert draft.air.corner is not None and len(draft.lights) == 2
    low, high = draft.air.corner
    assert all(a < c < b for a, c, b in zip(low, draft.eye.position, high, strict=True))
    assert draft.eye.position[1] <= 0.4 * high[1] and abs(draft.eye.yaw_rad) < 1.5
    assert 0.6 < draft.eye.fov_rad < 1.8


Footprint = tuple[float, float, float, float]


def placed(monkeypatch: pytest.MonkeyPatch, seed: int, room: Room, wanted: int) -> list[Footprint]:
    """Return the footprints (x, y, reach x, reach y) of the furniture that is placed around (0, 0.5)."""
    found = []

    def mark(d: Draft, p: Palette, w: float, deep: float) -> None:
        (x, y, _), (ax, ay, _) = d.place(0, 0, 0), d.place(1, 0, 0)
        turned = abs(ay - y) > abs(ax - x)
        found.append((x, y, deep / 2, w / 2) if turned else (x, y, w / 2, deep / 2))

    rows = tuple((mark, *row[1:]) for row in FURNITURE)
    monkeypatch.setattr(rooms, "FURNITURE", rows)
    draft = Draft(Random(seed))
    furnish(draft, Palette(draft.rng), room, wanted, keep_free=(0.0, 0.5, 1.6))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_furniture_neither_overlaps_nor_leaves_the_room_nor_surrounds_the_camera(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, slack = Room(5.0, 6.0, 2.5), 0.05  # metres that a piece may reach into a wall
    found = placed(monkeypatch, seed, room, 10)
    assert 1 <= len(found) <= 10
    for index, (x, y, rx, ry) in enumerate(found):
        assert abs(x) + rx < room.w / 2 + slack and -slack < y - ry and y + ry < room.deep + slack
        assert abs(x) > rx + 0.5 or abs(y - 0.5) > ry + 0.5
        assert all(abs(x - x2) >= rx + rx2 or abs(y - y2) >= ry + ry2 for x2, y2, rx2, ry2 in found[:index])


def test_no_furniture_is_placed_if_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(placed(monkeypatch, seed, Room(5.0, 6.0, 2.5), 0) == [] for seed in range(5))
