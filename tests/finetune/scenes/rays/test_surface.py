"""Surfaces: the face, normal and texture coordinates of what a pixel hits."""

from __future__ import annotations

import math

import pytest
import torch
from seen_scenes import made_draft

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.rays.solids import gather_solids
from depthrt.finetune.scenes.rays.surface import CAPS, Surface, dot, solid_table
from depthrt.finetune.scenes.textures.materials import Palette

EXACT = 1e-5  # float32


def surface_at(content: str, points: list[tuple[float, float, float]]) -> Surface:
    """Return the surface of a solid of 2x4x6 m around the origin, seen from far outside of each point."""

    def solid(d: Draft, p: Palette) -> None:
        if content == "box":
            d.box(0, 0, -3, 2, 4, 6, p.plastic())
        elif content == "tube":
            d.tube(0, 0, -3, 1, 6, p.plastic())
        elif content == "cone":
            d.tube(0, 0, -3, 1.5, 6, p.plastic(), top=0.5)
        else:
            d.ball(0, 0, 0, 1, 2, 3, p.plastic())

    table = solid_table(gather_solids([made_draft(solid)], "cpu"))
    point = torch.tensor(points).T[:, :, None]  # (3, t, 1)
    return Surface(table, torch.zeros(point.shape[1:], dtype=torch.int32), point, -10 * point)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_the_faces_of_a_box_are_numbered_by_axis_and_side(axis: int, side: int) -> None:
    half = (1.0, 2.0, 3.0)
    point = [0.25, 0.5, 0.75]
    point[axis] = side * half[axis]
    found = surface_at("box", [(point[0], point[1], point[2])])
    normal = [0.0, 0.0, 0.0]
    normal[axis] = float(side)
    assert int(found.face) == 2 * axis + (side > 0)
    assert found.normal.flatten().tolist() == pytest.approx(normal, abs=EXACT)
    u, v = {0: (point[1], point[2]), 1: (point[0], point[2]), 2: (point[0], point[1])}[axis]
    assert (float(found.u), float(found.v)) == pytest.approx((u, v), abs=EXACT)  # metres from the middle


def test_a_tube_has_a_side_and_two_caps() -> None:
    found = surface_at("tube", [(0.6, 0.8, 1.0), (0.1, 0.2, 3.0), (0.1, 0.2, -3.0)])
    assert found.face.flatten().tolist() == [0, CAPS + 1, CAPS]
    expected = [(0.6, 0.8, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)]
    for index, normal in enumerate(expected):
        assert found.normal[:, index, 0].tolist() == pytest.approx(normal, abs=EXACT)
    assert float(found.u[0]) == pytest.approx(math.atan2(0.6, 0.8), abs=EXACT)  # metres around a radius of 1 m


def test_the_normal_of_a_cone_leans_towards_its_narrow_end() -> None:
    found = surface_at("cone", [(0.6, 0.8, 0.0)])  # radius 1, which falls by 1 over a height of 6
    expected = torch.tensor([0.6, 0.8, 1 / 6])
    assert torch.allclose(found.normal.flatten(), expected / expected.norm(), atol=EXACT)


def test_the_normal_of_an_ellipsoid_is_its_gradient() -> None:
    point = torch.tensor([0.5, 1.0, 3 * math.sqrt(0.5)])
    gradient = point / torch.tensor([1.0, 4.0, 9.0])
    found = surface_at("ball", [(float(point[0]), float(point[1]), float(point[2]))])
    assert torch.allclose(found.normal.flatten(), gradient / gradient.norm(), atol=EXACT)


def test_normals_point_to_the_viewer_and_facing_is_the_cosine_times_the_ray_s_length() -> None:
    found = surface_at("box", [(1.0, 0.5, 0.5), (0.25, -2.0, 0.0), (0.0, 0.0, 3.0)])
    ray = -10 * torch.tensor([(1.0, 0.5, 0.5), (0.25, -2.0, 0.0), (0.0, 0.0, 3.0)]).T[:, :, None]
    assert bool((dot(found.normal, ray) < 0).all())
    assert torch.allclose(found.facing, -dot(found.normal, ray), rtol=EXACT)


def test_a_roughened_normal_is_of_unit_length_and_tilts_with_the_texture() -> None:
    found = surface_at("box", [(0.0, 0.0, 3.0)])
    before = found.normal.clone()
    found.roughen(torch.zeros(1, 1), torch.rand(3, 1, 1))
    assert torch.equal(found.normal, before)
    found.roughen(torch.full((1, 1), 2.0), torch.tensor([1.0, 0.5, 0.5]).view(3, 1, 1))
    assert found.normal.flatten().tolist() == pytest.approx([math.sqrt(0.5), 0.0, math.sqrt(0.5)], abs=EXACT)
