"""Light and air: two lights that see the scene, day and night, and values in their ranges."""

from __future__ import annotations

import math
from random import Random

import pytest

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.settings.lights import light_outdoors, light_room
from depthrt.finetune.scenes.settings.shell import Opening, Room, Window
from depthrt.finetune.scenes.textures.textures import SLOTS

ROOM = Room(4.0, 6.0, 2.6)
WINDOW: Window = (Opening(-0.5, 0.5, 1.0, 2.0), (0.0, 6.15, 1.5), 0.0)
SEEDS = range(40)


def check_light(draft: Draft) -> None:
    """Hold what is true of all light: a strong and a soft light of finite numbers, and air within its ranges."""
    first, second = draft.lights
    for light in (first, second):
        assert all(math.isfinite(value) for value in (*light.position, *light.target, *light.colour))
        assert min(light.colour) >= 0 and 0 < light.reach_rad < math.pi / 2 and light.softness_px > 0
        assert math.dist(light.position, light.target) > 0.5
    air = draft.air
    assert min(*air.zenith, *air.horizon, *air.ambient_up, *air.ambient_down, air.haze_per_m) >= 0
    assert 0 < air.key < 0.4
    assert air.cloud_slot in SLOTS["noise"]


@pytest.mark.parametrize("windows", [[], [WINDOW]])
def test_a_room_has_light_from_above_and_a_lamp_or_the_sun(windows: list[Window]) -> None:
    suns = 0
    for seed in SEEDS:
        draft = Draft(Random(seed))
        light_room(draft, ROOM, windows)
        check_light(draft)
        first, overhead = draft.lights
        assert ROOM.high - 0.6 < overhead.position[2] < ROOM.high and overhead.fades
        assert draft.air.corner == ((-2.0, 0.0, 0.0), (2.0, 6.0, 2.6))
        if first.fades:
            assert abs(first.position[0]) < 2 and 0 < first.position[1] < 6 and first.position[2] < 2.6
        else:
            suns += 1
            assert first.position[1] > 20 and first.position[2] > 5  # beyond the window, above it
    assert (suns > 20) if windows else (suns == 0)


def test_outdoors_is_day_mostly_and_looks_where_the_camera_does() -> None:
    nights = 0
    for seed in SEEDS:
        draft = Draft(Random(seed))
        draft.eye.position, draft.eye.yaw_rad = (10.0, -5.0, 1.6), 0.5
        light_outdoors(draft)
        check_light(draft)
        assert draft.air.corner is None
        if all(light.fades for light in draft.lights):
            nights += 1
            assert max(draft.air.zenith) < 0.05 and draft.air.key < 0.08
        else:
            x, y, _ = draft.lights[0].target
            ahead = (x - 10.0) * -math.sin(0.5) + (y + 5.0) * math.cos(0.5)
            assert 6 <= ahead <= 16 and draft.lights[0].position[2] > 15
    assert 1 <= nights <= 12


def test_a_low_sun_is_redder_than_a_high_one() -> None:
    redness = []
    for seed in range(200):
        draft = Draft(Random(seed))
        light_outdoors(draft)
        sun = draft.lights[0]
        if not sun.fades and max(sun.colour) > 0:
            rise = math.asin(sun.position[2] / math.dist(sun.position, sun.target))
            redness.append((rise, sun.colour[2] / sun.colour[0]))
    redness.sort()
    low, high = (sum(blue for _, blue in part) / len(part) for part in (redness[:20], redness[-20:]))
    assert low < 0.7 < high
