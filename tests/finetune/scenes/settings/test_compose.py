"""Settings by name, and the draft of a seed."""

from __future__ import annotations

from collections import Counter

import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.settings.compose import PROBES, SETTINGS, check_setting, draft_scene

INDOOR, OUTDOOR = (
    {kind.__name__.removeprefix("draft_") for kind, _ in SETTINGS[name]} for name in ("indoor", "outdoor")
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_draft_depends_only_on_its_seed(setting: str) -> None:
    (name, first), (again, second), (_, other) = (draft_scene(seed, setting) for seed in (3, 3, 4))
    assert name == again
    assert first.solids == second.solids and first.lights == second.lights and first.eye == second.eye
    assert first.solids != other.solids


def test_settings_draw_their_kinds_and_mixed_draws_a_third_outdoors() -> None:
    names = {setting: Counter(draft_scene(seed, setting)[0] for seed in range(30)) for setting in ("indoor", "outdoor")}
    assert set(names["indoor"]) == INDOOR and set(names["outdoor"]) == OUTDOOR
    mixed = Counter(draft_scene(seed, "mixed")[0] in OUTDOOR for seed in range(80))
    assert 0.25 < mixed[True] / 80 < 0.45


def test_a_probe_is_its_only_kind() -> None:
    assert all(draft_scene(seed, probe)[0] == probe for probe in PROBES for seed in range(3))


def test_nothing_of_a_draft_is_at_the_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def close(d: Draft) -> None:
        with d.at(*d.eye.position):
            d.box(0, 0.3, 0, 0.4, 0.4, 0.1, (0.0,) * 23)

    monkeypatch.setitem(SETTINGS, "close", ((close, 1.0),))
    assert [row for row in draft_scene(0, "close")[1].solids if row[THING] > 0] == []


def test_an_unknown_setting_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"setting 'space' found, expected one of indoor, outdoor, mixed, parallel"):
        check_setting("space")
    with pytest.raises(InputError, match="setting 'space' found"):
        draft_scene(0, "space")
