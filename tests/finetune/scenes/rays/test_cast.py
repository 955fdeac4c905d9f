"""Casting: the nearest solid of each pixel, against rays that are intersected singly in float64."""

from __future__ import annotations

import math

import pytest
import torch
from seen_scenes import seen_from

from depthrt.finetune.scenes.draft import Draft, Eye
from depthrt.finetune.scenes.rays.cast import Hits, cast
from depthrt.finetune.scenes.rays.solids import KIND_BALL, KIND_BOX, Solids
from depthrt.finetune.scenes.rays.views import Views, tile_pixels
from depthrt.finetune.scenes.textures.materials import Palette

FLOAT32 = 1e-4  # relative: a hit is evaluated in float32 from a tile's corner
AT_AN_EDGE = 0.01  # share of pixels that may fall to either side of an outline


def boxes_and_balls(d: Draft, p: Palette) -> None:
    r, plain = d.rng, p.even((0.5, 0.5, 0.5))
    for _ in range(25):
        with d.at(r.uniform(-2, 2), r.uniform(2, 7), r.uniform(0, 3), yaw=r.uniform(0, 6), lean=r.uniform(-1, 1)):
            if r.random() < 0.5:
                d.box(0, 0, 0, r.uniform(0.2, 1), r.uniform(0.2, 1), r.uniform(0.2, 1), plain)
            else:
                d.ball(0, 0, 0, r.uniform(0.2, 0.6), r.uniform(0.2, 0.6), r.uniform(0.2, 0.6), plain)


def rays_of(views: Views) -> torch.Tensor:
    """Return the ray of every pixel of the only view, (tiles, TILE_AREA, 3) float64, of unit depth."""
    (corner_u, corner_v), (u, v) = views.tile_corner(), tile_pixels(torch.device("cpu"))
    pixel = torch.stack([corner_u[:, None] + u, corner_v[:, None] + v, torch.ones(len(corner_u), len(u))], -1).double()
    return pixel @ views.rays[0].T


def nearest(solids: Solids, views: Views) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inverse depth and row of the nearest solid, ray by ray and solid by solid, by the textbook."""
    rays, best = rays_of(views), torch.zeros(views.tiles, 64, dtype=torch.float64)
    found = torch.full(best.shape, -1)
    for row in range(len(solids.kind)):
        turn = solids.rotation[row] / solids.half[row]  # (world axis, solid axis)
        origin, way = (views.position[0] - solids.centre[row]) @ turn, rays @ turn
        if int(solids.kind[row]) == KIND_BOX:
            first, second = (-1 - origin) / way, (1 - origin) / way
            enters, leaves = torch.minimum(first, second).amax(-1), torch.maximum(first, second).amin(-1)
            depth = torch.where((enters <= leaves) & (enters > 0), enters, torch.inf)
        else:
            assert int(solids.kind[row]) == KIND_BALL
            a, b, c = (way * way).sum(-1), (way * origin).sum(-1), (origin * origin).sum() - 1
            root = b * b - a * c
            depth = torch.where(root >= 0, (-b - root.clamp(min=0).sqrt()) / a, torch.inf)
            depth = torch.where(depth > 0, depth, torch.inf)
        nearer = 1 / depth > best
        best, found = torch.where(nearer, 1 / depth, best), torch.where(nearer, row, found)
    return best, found


@pytest.fixture(scope="module")
def seen() -> tuple[Solids, Views, Hits]:
    solids, views = seen_from(boxes_and_balls, Eye(fov_rad=1.2), (64, 80))
    return solids, views, cast(solids, views)


def test_hits_are_those_of_single_rays(seen: tuple[Solids, Views, Hits]) -> None:
    solids, views, hits = seen
    inverse, row = nearest(solids, views)
    same = hits.solid == row
    assert float((~same).double().mean()) < AT_AN_EDGE
    both = same & (row >= 0)
    assert len(row[both].unique()) > 15
    assert float(((hits.inverse - inverse)[both] / inverse[both]).abs().max()) < FLOAT32


def test_a_skipped_solid_is_seen_through(seen: tuple[Solids, Views, Hits]) -> None:
    solids, views, hits = seen
    front = int(hits.solid[hits.solid >= 0].mode().values)
    skip = torch.zeros(len(solids.kind), dtype=torch.bool)
    skip[front] = True
    without = cast(solids, views, skip=skip)
    behind = hits.solid == front
    assert not bool((without.solid == front).any())
    assert bool((without.inverse[behind] < hits.inverse[behind]).all())
    assert torch.equal(without.solid[~behind], hits.solid[~behind])


def test_a_limit_hides_what_is_nearer(seen: tuple[Solids, Views, Hits]) -> None:
    solids, views, hits = seen
    limit = hits.inverse * (1 - FLOAT32)  # a little behind the surface
    limit[: len(limit) // 2] = 0.0
    beyond = cast(solids, views, limit=limit)
    assert bool((beyond.inverse <= limit).all())
    assert not bool((beyond.solid[: len(limit) // 2] >= 0).any())
    half = slice(len(limit) // 2, None)
    assert bool((beyond.solid[half] >= 0).any())
    assert bool((beyond.solid[half] != hits.solid[half])[hits.solid[half] >= 0].all())


def test_a_solid_around_the_camera_is_not_seen() -> None:
    def content(d: Draft, p: Palette) -> None:
        d.ball(0, 0, 1.6, 1, 1, 1, p.plastic())
        d.box(0, 5, -10, 20, 1, 20, p.plastic())

    hits = cast(*seen_from(content, Eye(), (16, 16)))
    assert hits.solid.unique().tolist() == [1]


def test_nothing_to_see_is_sky() -> None:
    hits = cast(*seen_from(lambda d, p: None, Eye(), (9, 9)))
    assert hits.solid.unique().tolist() == [-1] and float(hits.inverse.abs().max()) == 0


def test_a_tube_is_open_only_if_it_is_hollow() -> None:
    def content(hollow: bool) -> torch.Tensor:
        def tube(d: Draft, p: Palette) -> None:
            d.tube(0, 0, 0, 0.5, 1.0, p.plastic(), hollow=hollow)

        above = Eye((0.0, 0.0, 3.0), pitch_rad=-math.pi / 2 + 1e-3, fov_rad=0.05)
        return cast(*seen_from(tube, above, (8, 8))).inverse

    assert torch.allclose(1 / content(False), torch.full((1, 64), 2.0), rtol=1e-3)  # the lid
    assert torch.allclose(1 / content(True), torch.full((1, 64), 3.0), rtol=1e-3)  # the bottom


def test_a_hollow_tube_is_seen_from_inside() -> None:
    def content(d: Draft, p: Palette) -> None:
        d.tube(0, 0, 0, 2.0, 4.0, p.plastic(), hollow=True)

    solids, views = seen_from(content, Eye((0.0, 0.0, 2.0), fov_rad=0.3), (8, 8))
    assert torch.allclose(1 / cast(solids, views).inverse, torch.full((1, 64), 2.0), rtol=0.02)
