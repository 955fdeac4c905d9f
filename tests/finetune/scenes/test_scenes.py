"""Holds that the depth of procedural scenes is exact, and that a seed is a scene whatever the company, size or view."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
import torch

from depthrt.engine.errors import InputError
from depthrt.finetune.scenes import render
from depthrt.finetune.scenes import render_batch as batch
from depthrt.finetune.scenes.draft import Draft, Eye, look_at
from depthrt.finetune.scenes.rays.camera import Cameras, cameras_of
from depthrt.finetune.scenes.rays.cast import Hits
from depthrt.finetune.scenes.rays.exact import FACES, Depth, exact_depth
from depthrt.finetune.scenes.rays.solids import Solids
from depthrt.finetune.scenes.rays.views import Views
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.settings.compose import PROBES, SETTINGS, draft_scene
from depthrt.finetune.scenes.settings.lights import light_outdoors
from depthrt.finetune.scenes.stream import stream_scenes
from depthrt.finetune.scenes.textures.materials import Palette, flat

ROUNDING = 4e-7  # depth is rounded to float32 once, half of 1.2e-7; planes and points are float64
_THING = 20  # column of a solid in a draft
ONE_SURFACE = 1e-3  # float32 hits are good to 2e-5; another face of the solid is much farther off
SMALL: Any = {"height_px": 48, "width_px": 64}
INDOOR_SEEDS, OUTDOOR_SEEDS = range(20), range(12)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads cost more than they bring on small pictures, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def indoor() -> Scenes:
    return render_scenes(INDOOR_SEEDS, height_px=96, width_px=128, setting="indoor")


@pytest.fixture(scope="module")
def outdoor() -> Scenes:
    return render_scenes(OUTDOOR_SEEDS, height_px=96, width_px=128, setting="outdoor")


def pixel_grid(scenes: Scenes) -> tuple[torch.Tensor, torch.Tensor]:
    """(h, w) float64 each: column and row of each pixel."""
    height, width = scenes.depth_m.shape[1:]
    v, u = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return u, v


def back_project(scenes: Scenes, index: int) -> torch.Tensor:
    """(h, w, 3) float64: the point of each pixel in the world, from nothing but depth, intrinsics and pose."""
    u, v = pixel_grid(scenes)
    fx, fy, cx, cy = scenes.intrinsics[index]
    z = scenes.depth_m[index].double()
    camera = torch.stack([(u - cx) / fx * z, (v - cy) / fy * z, z], -1)
    return camera @ scenes.cameras.rotation[index].T + scenes.cameras.position[index]


def project(scenes: Scenes, index: int, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Column, row and depth of world points (..., 3) in a scene's picture."""
    camera = (points - scenes.cameras.position[index]) @ scenes.cameras.rotation[index]
    fx, fy, cx, cy = scenes.intrinsics[index]
    x, y, z = camera.unbind(-1)
    return fx * x / z + cx, fy * y / z + cy, z


def moved(cameras: Cameras, *, sideways_m: float) -> Cameras:
    """The cameras a step to the right."""
    return replace(cameras, position=cameras.position + cameras.rotation[:, :, 0] * sideways_m)


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
    assert compared > 40_000  # the check is empty where nothing is seen twice


def turned(cameras: Cameras, *, angle: float) -> Cameras:
    """The cameras turned to the right."""
    c, s = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=torch.float64)
    return replace(cameras, rotation=cameras.rotation @ turn)


@pytest.mark.parametrize("move", ["turn", "step"])
def test_a_second_camera_finds_curved_surfaces_and_leaves_where_the_first_saw_them(move: str, outdoor: Scenes) -> None:
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
        # Something nearer may stand before the point now, but nothing may be seen through it.
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
            assert plane % FACES in (2, 3, 6, 7)  # glass and canvas, which are flat, and no rim
            part = mask & (indoor.plane[index] == plane)
            a, b, c = indoor.planes[index, plane]
            inverse = 1 / indoor.depth_m[index][part].double()
            assert ((a * u[part] + b * v[part] + c - inverse).abs() / inverse).max() < ROUNDING
            found += int(part.sum())
    assert found > 200


def draw(
    monkeypatch: pytest.MonkeyPatch, content: Callable[[Draft, Palette], None], size_px: tuple[int, int] = (64, 64)
) -> Scenes:
    """Render what `content` draws, from 1.6 m above the origin along +y."""
    monkeypatch.setitem(SETTINGS, "drawn", ((_drafting(content), 1.0),))
    return render_scenes([0], height_px=size_px[0], width_px=size_px[1], setting="drawn")


def _drafting(content: Callable[[Draft, Palette], None]) -> Callable[[Draft], None]:
    def draft(d: Draft) -> None:
        content(d, Palette(d.rng))
        light_outdoors(d)

    return draft


def test_a_thin_disc_on_a_wall_is_flat_wherever_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    at = (41.0, -63.0, 1.6)

    def content(d: Draft, p: Palette) -> None:
        with d.at(*at, yaw=0.7, lean=math.pi / 2):
            d.tube(0, 0, 0, 0.3, 0.012, p.picture(0.6, 0.6))

    draw(monkeypatch, content)
    front = math.sin(0.7), -math.cos(0.7)  # where it faces
    eye = Eye((at[0] + 2.5 * front[0] + 0.1, at[1] + 2.5 * front[1], 1.7), fov_rad=0.4)  # its side is not seen
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
def test_exact_depth_is_of_the_surface_that_each_ray_hits(
    setting: str, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    off: list[float] = []

    def compared(solids: Solids, views: Views, hits: Hits, face: torch.Tensor) -> Depth:
        depth = exact_depth(solids, views, hits, face)
        inside = hits.solid >= 0
        off.append(float((depth.depth_m[inside] * hits.inverse[inside] - 1).abs().max()))
        return depth

    monkeypatch.setattr(batch, "exact_depth", compared)
    render_scenes(seeds, **SMALL, setting=setting)
    assert off
    assert max(off) < ONE_SURFACE


def test_a_mirror_shows_things_where_the_law_of_reflection_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_leaves_stay_where_they_are_when_the_camera_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    def content(d: Draft, p: Palette) -> None:
        d.lace(0, 4, 1.6, 1, 1, 1, p.leaves(), waves=12)

    first = draw(monkeypatch, content, (240, 240))
    second = render_scenes(
        [0], setting="drawn", height_px=240, width_px=240, cameras=moved(first.cameras, sideways_m=0.5)
    )
    u, v, z = project(second, 0, back_project(first, 0))
    near = first.valid[0] & ((u - u.round()).abs() < 0.2) & ((v - v.round()).abs() < 0.2)
    found = second.depth_m[0].double()[v[near].round().long(), u[near].round().long()]
    through = (found == 0) | (found > z[near] * 1.02)
    assert int(near.sum()) > 500
    assert float(through.float().mean()) < 0.08  # a fifth of a pixel off may miss the edge of a leaf
    assert 0.5 < float(first.valid[0, 90:150, 90:150].float().mean()) < 1  # there are leaves, and holes


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
    """Distance (n,) along rays (n, 3) to an open cylinder with a bottom, from the textbook."""
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


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("off_m", [0.0, 3e-16, -3e-16])
def test_a_box_whose_face_is_seen_edge_on_is_on_its_own_side(
    side: int, off_m: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content(d: Draft, p: Palette) -> None:
        d.box(side * 0.5, 4.0, 1.1, 1.0, 1.0, 1.0, p.plastic())  # from the camera's plane to one side

    draw(monkeypatch, content)
    cameras = cameras_of([Eye((off_m, 0.0, 1.6), fov_rad=1.2)], "cpu")
    scenes = render_scenes([0], setting="drawn", height_px=160, width_px=160, cameras=cameras)
    seen = scenes.valid[0]
    assert int(seen.sum()) > 400
    assert scenes.depth_m[0][seen].sub(3.5).abs().max() < 1e-6  # the front alone
    columns = seen.nonzero()[:, 1]
    assert int((columns >= 80).sum() if side < 0 else (columns < 80).sum()) == 0


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


def test_the_sky_is_invalid_and_only_the_sky(outdoor: Scenes) -> None:
    assert torch.equal(outdoor.valid, outdoor.depth_m > 0)
    assert torch.equal(outdoor.sky, ~outdoor.valid)
    assert bool(outdoor.sky.any())
    assert bool((outdoor.depth_m[outdoor.valid] < 1000).all())


def test_what_windows_show_is_farther_than_the_window(indoor: Scenes) -> None:
    assert bool(indoor.window.any())
    inside = indoor.valid & ~indoor.window
    assert float(indoor.depth_m[indoor.window & indoor.valid].median()) > float(indoor.depth_m[inside].median())


@pytest.mark.parametrize("setting", ["mixed", "indoor", "outdoor", *PROBES])
def test_a_seed_is_one_scene_in_any_company(setting: str) -> None:
    alone = render_scenes([7], **SMALL, setting=setting)
    together = render_scenes([3, 7, 11, 2, 9], **SMALL, setting=setting)
    for field in fields(Scenes):
        ours, theirs = getattr(alone, field.name), getattr(together, field.name)
        if field.name == "planes":
            ours, theirs = ours[0], theirs[1, : ours.shape[1]]
        elif isinstance(ours, torch.Tensor):
            ours, theirs = ours[0], theirs[1]
        elif field.name == "cameras":
            ours, theirs = ours.position[0], theirs.position[1]
        else:
            continue
        assert torch.equal(ours, theirs), field.name


def test_a_batch_in_groups_is_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = render_scenes(range(11), height_px=96, width_px=128)
    monkeypatch.setitem(render._GROUP_PX, "cpu", 3 * 96 * 128)  # groups of three
    parts = render_scenes(range(11), height_px=96, width_px=128)
    assert torch.equal(whole.image, parts.image)
    assert torch.equal(whole.depth_m, parts.depth_m)
    assert torch.equal(whole.planes, parts.planes)


def test_depth_at_a_direction_does_not_depend_on_resolution() -> None:
    coarse = render_scenes(range(6), height_px=33, width_px=43)
    fine = render_scenes(range(6), height_px=99, width_px=129)  # its every third pixel looks along a coarse one
    assert torch.allclose(fine.depth_m[:, 1::3, 1::3], coarse.depth_m, rtol=1e-4) or (
        # a pixel exactly on an edge may fall to either side
        ((fine.depth_m[:, 1::3, 1::3] - coarse.depth_m).abs() > 1e-4 * coarse.depth_m).float().mean() < 1e-3
    )


def test_other_seeds_are_other_scenes() -> None:
    scenes = render_scenes(range(6), **SMALL)
    images = scenes.image.float()
    assert all((images[i] - images[j]).abs().mean() > 5 for i in range(6) for j in range(i))


def test_another_texture_seed_changes_the_picture_and_nothing_else() -> None:
    first, second = (
        render_scenes([4], **SMALL),
        render_scenes([4], **SMALL, texture_seed=1),
    )
    assert torch.equal(first.depth_m, second.depth_m)
    assert not torch.equal(first.image, second.image)


def test_many_rays_a_pixel_smooth_the_picture_and_leave_depth() -> None:
    one, many = (
        render_scenes([4, 5], **SMALL),
        render_scenes([4, 5], **SMALL, samples=9),
    )
    assert torch.equal(one.depth_m, many.depth_m)
    assert 0 < (one.image.float() - many.image.float()).abs().mean() < 20


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (37, 100), (100, 37)])
def test_any_size_is_rendered(size: tuple[int, int]) -> None:
    scenes = render_scenes([1, 2], height_px=size[0], width_px=size[1])
    assert scenes.image.shape == (2, 3, *size)
    assert scenes.depth_m.shape == scenes.plane.shape == scenes.window.shape == (2, *size)


def shares_seen(monkeypatch: pytest.MonkeyPatch, setting: str, seed: int) -> list[tuple[float, torch.Tensor]]:
    """Return, of each thing of a scene, the share that nothing hides, and where it is in the picture when alone."""
    size_px: Any = {"height_px": 120, "width_px": 160}
    _, draft = draft_scene(seed, setting)
    whole = render_scenes([seed], **size_px, setting=setting).thing[0]
    found = []
    for thing in sorted({row[_THING] for row in draft.solids} - {0}):
        own = [row for row in draft.solids if row[_THING] == thing]

        def alone(d: Draft, own: list[tuple[float, ...]] = own) -> None:
            d.solids[:], d.eye, d.lights, d.air = own, draft.eye, draft.lights, draft.air

        monkeypatch.setitem(SETTINGS, "drawn", ((alone, 1.0),))
        mask = render_scenes([0], **size_px, setting="drawn").valid[0]
        found.append((float((whole[mask] == thing).float().mean()), mask))
    return found


@pytest.mark.parametrize("setting", ["size", "parallel"])
def test_equal_objects_are_all_seen_whole(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_object_behind_others_is_cut_and_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [shares_seen(monkeypatch, "occlusion", seed)[0][0] for seed in range(16)]
    assert all(0.03 < share < 0.97 for share in shares)
    assert min(shares) < 0.4
    assert max(shares) > 0.75


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": []}, "one or more seeds from 0"),
        ({"seeds": [-1]}, "seeds from 0"),
        ({"seeds": [1], "height_px": 0}, "sides from 1 px"),
        ({"seeds": [1], "samples": 3}, "square number"),
        ({"seeds": [1], "device": "meta"}, "device 'meta' found, expected cpu or cuda"),
        ({"seeds": [1], "cameras": cameras_of([Eye(), Eye()], "cpu")}, "2 cameras found for 1 seeds"),
        ({"seeds": [1], "setting": "space"}, "setting 'space' found, expected one of indoor"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        render_scenes(**options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_draft_depends_on_its_seed_alone() -> None:
    drafts = []
    for _ in range(2):
        draft = Draft(Random("indoor 3"))
        SETTINGS["indoor"][0][0](draft)
        drafts.append(draft)
    assert drafts[0].solids == drafts[1].solids
    assert drafts[0].lights == drafts[1].lights


def test_a_stream_from_another_process_gives_the_same_scenes_in_order() -> None:
    batches = list(stream_scenes(range(5), batch=2, workers=1, **SMALL))
    whole = render_scenes(range(5), **SMALL)
    assert [batch.seeds for batch in batches] == [(0, 1), (2, 3), (4,)]
    assert torch.equal(torch.cat([batch.image for batch in batches]), whole.image)
    assert torch.equal(torch.cat([batch.depth_m for batch in batches]), whole.depth_m)


def test_rendering_leaves_the_number_of_threads_as_it_was() -> None:
    torch.set_num_threads(2)
    render_scenes([1], **SMALL)
    assert torch.get_num_threads() == 2
