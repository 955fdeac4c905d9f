"""Bounds: the tiles of a solid's rectangle hold every pixel that sees it."""

from __future__ import annotations

import pytest
import torch
from seen_scenes import seen_from

from depthrt.finetune.scenes.draft import Draft, Eye
from depthrt.finetune.scenes.rays import cast as module
from depthrt.finetune.scenes.rays.bounds import tile_spans
from depthrt.finetune.scenes.rays.cast import cast
from depthrt.finetune.scenes.rays.solids import Solids
from depthrt.finetune.scenes.rays.views import TILE_PX, Views
from depthrt.finetune.scenes.textures.materials import Palette


def clutter(d: Draft, p: Palette) -> None:
    """Draw solids of every kind all around the camera, some of which it is in or beside."""
    r, plain = d.rng, p.even((0.5, 0.5, 0.5))
    d.box(0, 0, -1, 40, 40, 1, plain)  # a floor, from behind the camera to far ahead
    for _ in range(150):
        with d.at(r.uniform(-5, 5), r.uniform(-5, 5), r.uniform(0, 3), yaw=r.uniform(0, 6), lean=r.uniform(-1, 1)):
            kind = r.randrange(4)
            if kind == 0:
                d.box(0, 0, 0, r.uniform(0.1, 1), r.uniform(0.1, 1), r.uniform(0.1, 1), plain)
            elif kind == 1:
                d.ball(0, 0, 0, r.uniform(0.1, 0.5), r.uniform(0.1, 0.5), r.uniform(0.1, 0.5), plain)
            elif kind == 2:
                d.tube(0, 0, 0, r.uniform(0.1, 0.5), r.uniform(0.1, 2), plain, top=r.uniform(0.01, 0.5))
            else:
                d.lace(0, 0, 0, 0.2, 0.3, 0.4, plain, waves=9)


def everywhere(solids: Solids, views: Views, view: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Return the whole image for every solid."""
    down, across = views.grid
    return torch.tensor([[0, 0, down, across]]).repeat(len(view), 1)


@pytest.mark.parametrize("yaw", [0.0, 1.5, 3.0])
def test_no_pixel_of_a_solid_is_outside_of_its_bounds(yaw: float, monkeypatch: pytest.MonkeyPatch) -> None:
    solids, views = seen_from(clutter, Eye(yaw_rad=yaw, pitch_rad=-0.1, fov_rad=1.4), (72, 88))
    found = cast(solids, views)
    monkeypatch.setattr(module, "tile_spans", everywhere)
    expected = cast(solids, views)
    assert len(found.solid.unique()) > 10
    assert torch.equal(found.solid, expected.solid)
    assert torch.equal(found.inverse, expected.inverse)


def test_bounds_are_tight_and_empty_behind_the_camera_and_beside_the_image() -> None:
    def content(d: Draft, p: Palette) -> None:
        plain = p.even((0.5, 0.5, 0.5))
        d.box(0, 4, 1.1, 1, 0.01, 1, plain)  # in the middle, a quarter of the width at 4 m
        d.box(0, -4, 1.1, 1, 1, 1, plain)
        d.box(-40, 4, 1.1, 1, 1, 1, plain)

    solids, views = seen_from(content, Eye((0, 0, 1.6), fov_rad=0.927), (128, 128))  # 4 m wide at 4 m
    spans = tile_spans(solids, views, torch.zeros(3, dtype=torch.int64), torch.arange(3))
    top, left, down, across = spans[0].tolist()
    assert (top * TILE_PX, left * TILE_PX) == (48, 48) and (down * TILE_PX, across * TILE_PX) == (32, 32)
    assert spans[1:, 2].tolist() == [0, 0]
