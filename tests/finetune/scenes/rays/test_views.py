"""Views: images that are cut into tiles, with tiles over the border."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.scenes.draft import Eye
from depthrt.finetune.scenes.rays.camera import camera_views, cameras_of
from depthrt.finetune.scenes.rays.views import TILE_AREA, TILE_PX, tile_pixels


@pytest.mark.parametrize(
    ("size_px", "grid"), [((8, 8), (1, 1)), ((9, 16), (2, 2)), ((1, 1), (1, 1)), ((24, 17), (3, 3))]
)
def test_tiles_cover_the_image(size_px: tuple[int, int], grid: tuple[int, int]) -> None:
    views = camera_views(cameras_of([Eye(), Eye()], "cpu"), *size_px)
    assert (views.grid, views.tiles) == (grid, 2 * grid[0] * grid[1])
    assert views.tile_view().tolist() == [0] * (grid[0] * grid[1]) + [1] * (grid[0] * grid[1])


def test_corner_and_offset_give_every_pixel_once() -> None:
    views = camera_views(cameras_of([Eye()], "cpu"), 24, 16)
    (corner_u, corner_v), (u, v) = views.tile_corner(), tile_pixels(torch.device("cpu"))
    pixels = {
        (int(a + b), int(c + d)) for a, c in zip(corner_u, corner_v, strict=True) for b, d in zip(u, v, strict=True)
    }
    assert pixels == {(column, row) for column in range(16) for row in range(24)}
    assert len(u) == TILE_AREA == TILE_PX**2
