"""Cameras and the views of cameras, lights and mirrors."""

from __future__ import annotations

import math

import pytest
import torch
from seen_scenes import draw, project

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.textures.materials import Palette, flat


def test_a_mirror_shows_things_by_the_law_of_reflection(monkeypatch: pytest.MonkeyPatch) -> None:
    ball, radius, glass_m, thick_m = (2.5, -1.5, 1.9), 0.3, 4.0, 0.2  # the ball is behind the camera

    def content(d: Draft, p: Palette) -> None:
        with d.at(0, glass_m + thick_m / 2, 0):
            d.box(0, 0, 0, 8, thick_m, 4, p.mirror())
        d.ball(*ball, radius, radius, radius, flat(p.even((0.9, 0.0, 0.0))))

    scenes = draw(monkeypatch, content, (240, 320))
    red, green, blue = scenes.image[0].int()
    seen = (red > 2 * green + 40) & (red > 2 * blue + 40)
    assert bool((scenes.mirror[0][seen]).all())
    virtual = torch.tensor([ball[0], 2 * glass_m - ball[1], ball[2]], dtype=torch.float64)
    u, v, z = project(scenes, 0, virtual)
    rows, columns = seen.nonzero().double().mean(0)
    assert float(columns) == pytest.approx(float(u), abs=0.3)  # px; a glass half its thickness off would be 0.8
    assert float(rows) == pytest.approx(float(v), abs=0.3)
    area = math.pi * (radius * float(scenes.intrinsics[0, 0]) / float(z)) ** 2
    assert float(seen.sum()) == pytest.approx(area, rel=0.12)  # the outline is soft
    on_glass = scenes.depth_m[0][scenes.mirror[0]]
    assert (on_glass - glass_m).abs().max() < 1e-6  # head-on, the glass has one depth
