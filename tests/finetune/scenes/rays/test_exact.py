"""Exact depth: of planes, curved surfaces and known solids, the same from every camera."""

from __future__ import annotations

import math

import pytest
import torch
from seen_scenes import ROUNDING, SMALL, back_project, draw, moved, pixel_grid, project, turned

from depthrt.finetune.scenes import render_batch
from depthrt.finetune.scenes.draft import Draft, Eye, look_at
from depthrt.finetune.scenes.rays.camera import cameras_of
from depthrt.finetune.scenes.rays.cast import Hits
from depthrt.finetune.scenes.rays.exact import FACES, ExactDepth, exact_depth
from depthrt.finetune.scenes.rays.solids import Solids
from depthrt.finetune.scenes.rays.views import Views
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.settings.compose import SETTINGS
from depthrt.finetune.scenes.settings.lights import light_outdoors
from depthrt.finetune.scenes.textures.materials import Palette

ONE_SURFACE = 1e-3  # relative: float32 hits are good to 2e-5; another face of the solid is much farther off


@pytest.mark.parametrize("setting", ["indoor", "outdoor"])
def test_points_that_two_cameras_see_on_a_plane_have_one_depth(setting: str, request: pytest.FixtureRequest) -> None:
    first: Scenes = request.getfixturevalue(setting)
    second = render_scenes(
        first.seeds, height_px=96, width_px=128, setting=setting, cameras=moved(first.cameras, sideways_m=0.05)
    )
    compared = 0
    for index in range(len(first)):
        u, v, z = project(second, index, back_project(first, index))
        column, row = u.round().long(), v.round().long()
        inside = first.valid[index] & (z > 0) & (column >= 0) & (column < 128) & (row >= 0) & (row < 96)
        seen = second.plane[index][row[inside], column[inside]]
        same = (seen == first.plane[index][inside]) & (seen >= 0)
        a, b, c = second.planes[index][seen[same].long()].unbind(1)
        expected = 1 / (a * u[inside][same] + b * v[inside][same] + c)
        found = z[inside][same]
        assert ((found - expected).abs() / expected).max() < ROUNDING * 20  # the steps and the pose round as well
        compared += int(same.sum())
    assert compared > 40_000  # if nothing were seen twice, the check would be empty


@pytest.mark.parametrize("move", ["turn", "step"])
def test_a_second_camera_finds_curved_surfaces_and_leaves_at_the_same_points(move: str, outdoor: Scenes) -> None:
    own = outdoor.cameras
    other = turned(own, angle=0.02) if move == "turn" else moved(own, sideways_m=0.15)
    second = render_scenes(outdoor.seeds, height_px=96, width_px=128, setting="outdoor", cameras=other)
    beyond = compared = 0
    for index in range(len(outdoor)):
        u, v, z = project(second, index, back_project(outdoor, index))
        column, row = u.round().long(), v.round().long()
        near = outdoor.valid[index] & (outdoor.plane[index] < 0) & ((u - column).abs() < 0.2) & ((v - row).abs() < 0.2)
        near &= (column >= 0) & (column < 128) & (row >= 0) & (row < 96)
        inverse = second.depth_m[index].double()[row[near], column[near]].reciprocal()
        sky = second.sky[index][row[near], column[near]]
        # A nearer thing may hide the point now, but nothing may be seen through it.
        beyond += int((torch.where(sky, 0.0, inverse) < 0.97 / z[near]).sum())
        compared += int(near.sum())
    assert compared > 300
    assert beyond < 0.1 * compared  # a fifth of a pixel off may miss a twig or a leaf


@pytest.mark.parametrize("setting", ["indoor", "outdoor"])
def test_inverse_depth_is_affine_in_pixels_over_every_plane(setting: str, request: pytest.FixtureRequest) -> None:
    scenes: Scenes = request.getfixturevalue(setting)
    u, v = pixel_grid(scenes)
    fitted = 0
    for index in range(len(scenes)):
        for plane in scenes.plane[index].unique().tolist():
            mask = scenes.plane[index] == plane
            if plane < 0 or mask.sum() < 12:
                continue
            basis = torch.stack([u[mask], v[mask], torch.ones_like(u[mask])], 1)
            inverse = 1 / scenes.depth_m[index][mask].double()
            fit = torch.linalg.lstsq(basis, inverse[:, None], driver="gelsd").solution
            residual = (basis @ fit - inverse[:, None]).abs().max()
            assert residual < ROUNDING * inverse.max()
            assert ((basis @ scenes.planes[index, plane] - inverse).abs() / inverse).max() < ROUNDING
            fitted += 1
    assert fitted > 150


@pytest.mark.parametrize("mask_name", ["mirror", "art"])
def test_mirrors_and_art_have_the_depth_of_their_surface(mask_name: str, indoor: Scenes) -> None:
    u, v = pixel_grid(indoor)
    found = 0
    for index in range(len(indoor)):
        mask = getattr(indoor, mask_name)[index]
        for plane in indoor.plane[index][mask].unique().tolist():
            assert plane % FACES in (2, 3, 6, 7)  # glass and canvas, which are flat, not the rim
            part = mask & (indoor.plane[index] == plane)
            a, b, c = indoor.planes[index, plane]
            inverse = 1 / indoor.depth_m[index][part].double()
            assert ((a * u[part] + b * v[part] + c - inverse).abs() / inverse).max() < ROUNDING
            found += int(part.sum())
    assert found > 200


def test_a_thin_disc_on_a_wall_is_flat_far_from_the_origin_too(monkeypatch: pytest.MonkeyPatch) -> None:
    at = (41.0, -63.0, 1.6)

    def content(d: Draft, p: Palette) -> None:
        with d.at(*at, yaw=0.7, lean=math.pi / 2):
            d.tube(0, 0, 0, 0.3, 0.012, p.picture(0.6, 0.6))

    draw(monkeypatch, content)
    front = math.sin(0.7), -math.cos(0.7)  # its direction
    eye = Eye((at[0] + 2.5 * front[0] + 0.1, at[1] + 2.5 * front[1], 1.7), fov_rad=0.4)  # too high to see its side
    cameras = cameras_of([look_at(eye, at)], "cpu")
    scenes = render_scenes([0], setting="drawn", height_px=160, width_px=160, cameras=cameras)
    disc = scenes.valid[0]
    assert int(disc.sum()) > 2000
    assert bool((scenes.plane[0][disc] >= 0).all())
    assert bool(scenes.art[0][disc].all())
    normal = torch.tensor([*front, 0.0], dtype=torch.float64)
    beside_m = (back_project(scenes, 0)[disc] - torch.tensor(at, dtype=torch.float64)) @ normal
    assert (beside_m - 0.012).abs().max() < 5 * ROUNDING  # of metres away


@pytest.mark.parametrize(("setting", "seeds"), [("indoor", range(60)), ("outdoor", range(12))])
def test_exact_depth_is_that_of_the_surface_that_each_ray_hits(
    setting: str, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    off: list[float] = []

    def compared(solids: Solids, views: Views, hits: Hits, face: torch.Tensor) -> ExactDepth:
        depth = exact_depth(solids, views, hits, face)
        inside = hits.solid >= 0
        off.append(float((depth.depth_m[inside] * hits.inverse[inside] - 1).abs().max()))
        return depth

    monkeypatch.setattr(render_batch, "exact_depth", compared)
    render_scenes(seeds, **SMALL, setting=setting)
    assert off
    assert max(off) < ONE_SURFACE


def test_a_cup_seen_from_above_has_the_depth_of_its_far_inner_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    middle, radius, high = 2.0, 0.5, 1.0

    def content(d: Draft, p: Palette) -> None:
        d.tube(0, middle, 0, radius, high, p.plastic(), hollow=True)

    draw(monkeypatch, content)
    tilted = cameras_of([Eye((0.0, 0.0, 2.4), pitch_rad=-0.75, fov_rad=1.2)], "cpu")
    scenes = render_scenes([0], setting="drawn", height_px=160, width_px=160, cameras=tilted)
    points = back_project(scenes, 0)
    eye = scenes.cameras.position[0]
    ray = points - eye
    ray = ray / ray.norm(dim=-1, keepdim=True)
    inside = scenes.valid[0]
    t = first_hit_of_cup(eye, ray[inside], middle, radius, high)
    expected = eye + t[:, None] * ray[inside]
    error = (expected - points[inside]).norm(dim=-1)
    assert float((error > 1e-5).double().mean()) < 0.01  # pixels on the rim may fall to either side
    wall = (points[inside][:, :2] - torch.tensor([0.0, middle])).norm(dim=-1) - radius
    far = (wall.abs() < 1e-6) & (points[inside][:, 1] > middle)
    assert int(far.sum()) > 200


def first_hit_of_cup(eye: torch.Tensor, ray: torch.Tensor, middle: float, radius: float, high: float) -> torch.Tensor:
    """Return the distance along rays (n, 3) to an open cylinder with a bottom, (n,), by the textbook's formula."""
    ex, ey = eye[0], eye[1] - middle
    a = ray[:, 0] ** 2 + ray[:, 1] ** 2
    b = ex * ray[:, 0] + ey * ray[:, 1]
    root = (b * b - a * (ex * ex + ey * ey - radius * radius)).clamp(min=0).sqrt()
    wall = torch.stack([(-b - root) / a, (-b + root) / a])
    height = eye[2] + wall * ray[:, 2]
    wall = torch.where((height >= 0) & (height <= high), wall, torch.inf)
    bottom = -eye[2] / ray[:, 2]
    x, y = ex + bottom * ray[:, 0], ey + bottom * ray[:, 1]
    return torch.cat([wall, torch.where(x * x + y * y <= radius * radius, bottom, torch.inf)[None]]).amin(0)


class TestAKnownBox:
    """A box of known size, seen by a known camera."""

    SIZE_M = (0.8, 0.5, 1.2)  # w, d, h

    @pytest.fixture
    def scenes(self, monkeypatch: pytest.MonkeyPatch) -> Scenes:
        def draft_box(d: Draft) -> None:
            p = Palette(d.rng)
            with d.at(0.3, 4.0, 0.0, yaw=0.6):
                d.box(0, 0, 0, *self.SIZE_M, p.wood())
            light_outdoors(d)

        monkeypatch.setitem(SETTINGS, "box", ((draft_box, 1.0),))
        return render_scenes([5], height_px=480, width_px=640, setting="box")

    def test_its_edges_have_their_length_after_back_projection(self, scenes: Scenes) -> None:
        points = back_project(scenes, 0)[scenes.valid[0]]
        c, s = math.cos(0.6), math.sin(0.6)
        own = torch.stack(
            [(points[:, 0] - 0.3) * c + (points[:, 1] - 4) * s, (points[:, 1] - 4) * c - (points[:, 0] - 0.3) * s], 1
        )
        pixel_m = 4.0 / float(scenes.intrinsics[0, 0])
        w, d, h = self.SIZE_M
        assert float(own[:, 0].max() - own[:, 0].min()) == pytest.approx(w, abs=2 * pixel_m)
        assert float(points[:, 2].max() - points[:, 2].min()) == pytest.approx(h, abs=3 * pixel_m)
        assert float(own[:, 1].min()) == pytest.approx(-d / 2, abs=1e-6)  # the front face, exactly

    def test_its_nearest_corner_has_the_depth_that_geometry_gives(self, scenes: Scenes) -> None:
        w, d, _ = self.SIZE_M
        c, s = math.cos(0.6), math.sin(0.6)
        corners = [(0.3 + x * c - y * s, 4 + x * s + y * c) for x in (-w / 2, w / 2) for y in (-d / 2, d / 2)]
        nearest = min(y for _, y in corners)
        assert float(scenes.depth_m[0][scenes.valid[0]].min()) == pytest.approx(nearest, abs=0.01)

    def test_the_sky_around_it_is_invalid(self, scenes: Scenes) -> None:
        assert bool((scenes.sky[0] == ~scenes.valid[0]).all())
        assert float(scenes.depth_m[0][scenes.sky[0]].max()) == 0
        assert int(scenes.thing[0][scenes.sky[0]].max()) == -1
        assert 0.02 < float(scenes.valid[0].float().mean()) < 0.5
