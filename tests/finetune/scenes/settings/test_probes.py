"""Probe scenes: equal objects are seen whole, and an occluded object is cut."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.settings.compose import SETTINGS, draft_scene


def shares_seen(monkeypatch: pytest.MonkeyPatch, setting: str, seed: int) -> list[tuple[float, torch.Tensor]]:
    """Return for each thing of a scene the share of its pixels that nothing hides, and its mask without the others."""
    size_px: Any = {"height_px": 120, "width_px": 160}
    _, draft = draft_scene(seed, setting)
    whole = render_scenes([seed], **size_px, setting=setting).thing[0]
    found = []
    for thing in sorted({row[THING] for row in draft.solids} - {0}):
        own = [row for row in draft.solids if row[THING] == thing]

        def draft_one(d: Draft, own: list[tuple[float, ...]] = own) -> None:
            d.solids[:], d.eye, d.lights, d.air = own, draft.eye, draft.lights, draft.air

        monkeypatch.setitem(SETTINGS, "drawn", ((draft_one, 1.0),))
        mask = render_scenes([0], **size_px, setting="drawn").valid[0]
        found.append((float((whole[mask] == thing).float().mean()), mask))
    return found


@pytest.mark.parametrize("setting", ["size", "parallel", "equal"])
def test_equal_objects_are_not_hidden_and_not_cut_by_the_border(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(12):
        found = shares_seen(monkeypatch, setting, seed)
        assert len(found) >= 2
        for share, mask in found:
            assert share == 1
            border = torch.cat([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
            assert mask.any() and not border.any()
        heights = [int(mask.any(1).sum()) for _, mask in found]
        if setting == "size":  # small and near as large and far
            assert max(heights) <= 1.1 * min(heights)
        else:
            assert max(heights) > min(heights)


def test_an_occluded_object_is_hidden_in_part_but_never_fully(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [shares_seen(monkeypatch, "occlusion", seed)[0][0] for seed in range(16)]
    assert all(0.03 < share < 0.97 for share in shares)
    assert min(shares) < 0.4
    assert max(shares) > 0.75
