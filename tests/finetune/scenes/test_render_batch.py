"""Masks of a rendered batch: mirrors and art without their rims, sky, windows."""

from __future__ import annotations

import pytest
import torch
from seen_scenes import SMALL, draw

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.textures.materials import Palette


@pytest.mark.parametrize("mask_name", ["mirror", "art"])
def test_the_rim_of_a_mirror_or_picture_is_neither(mask_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def content(d: Draft, p: Palette) -> None:
        with d.at(0.3, 3, 1, yaw=0.7):
            d.box(0, 0, 0, 1, 0.4, 0.5, p.mirror() if mask_name == "mirror" else p.picture(1, 0.5))

    scenes = draw(monkeypatch, content, (120, 160))
    planes = scenes.plane[0][scenes.thing[0] == 1]
    mask = getattr(scenes, mask_name)[0]
    assert len(planes.unique()) == 3  # front, side and top
    (front,) = scenes.plane[0][mask].unique()
    assert int(mask.sum()) == int((planes == front).sum()) > 500


def test_only_the_sky_is_invalid(outdoor: Scenes) -> None:
    assert torch.equal(outdoor.valid, outdoor.depth_m > 0)
    assert torch.equal(outdoor.sky, ~outdoor.valid)
    assert bool(outdoor.sky.any())
    assert bool((outdoor.depth_m[outdoor.valid] < 1000).all())


def test_the_view_through_windows_is_farther_than_the_room(indoor: Scenes) -> None:
    assert bool(indoor.window.any())
    inside = indoor.valid & ~indoor.window
    assert float(indoor.depth_m[indoor.window & indoor.valid].median()) > float(indoor.depth_m[inside].median())


def test_several_rays_per_pixel_smooth_the_image_and_leave_depth_unchanged() -> None:
    one, many = (
        render_scenes([4, 5], **SMALL),
        render_scenes([4, 5], **SMALL, samples=9),
    )
    assert torch.equal(one.depth_m, many.depth_m)
    assert 0 < (one.image.float() - many.image.float()).abs().mean() < 20
