"""Cameras and the views of cameras, lights and mirrors."""

from __future__ import annotations

import math

import pytest
import torch
from seen_scenes import draw, project, seen_from

from depthrt.finetune.scenes.draft import Draft, Eye, Light
from depthrt.finetune.scenes.rays.camera import camera_views, cameras_of, light_views, mirrored_views
from depthrt.finetune.scenes.textures.materials import Palette, flat

EXACT = 1e-12  # a few roundings of float64


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


def test_the_middle_of_an_image_is_the_optical_axis_and_rays_have_unit_depth() -> None:
    cameras = cameras_of([Eye((1.0, 2.0, 3.0), yaw_rad=0.4, pitch_rad=-0.2, fov_rad=1.1)], "cpu")
    views = camera_views(cameras, 30, 40)
    forward = cameras.rotation[0, :, 2]
    middle = views.rays[0] @ torch.tensor([19.5, 14.5, 1.0], dtype=torch.float64)
    corner = views.rays[0] @ torch.tensor([-0.5, 14.5, 1.0], dtype=torch.float64)  # the left border
    assert torch.allclose(middle, forward, atol=EXACT)
    assert float(corner @ forward) == pytest.approx(1, abs=EXACT)
    assert math.atan(float((corner - middle).norm())) == pytest.approx(1.1 / 2, abs=EXACT)


def test_a_portrait_image_has_the_angle_of_view_along_its_height() -> None:
    cameras = cameras_of([Eye(fov_rad=1.0)], "cpu")
    assert float(cameras.focal_px(40, 30)) == float(cameras.focal_px(30, 40)) == pytest.approx(20 / math.tan(0.5))


def test_pixels_are_the_inverse_of_rays() -> None:
    views = camera_views(cameras_of([Eye(yaw_rad=0.3, roll_rad=0.2), Eye(pitch_rad=0.5)], "cpu"), 48, 64)
    identity = torch.eye(3, dtype=torch.float64).expand(2, 3, 3)
    assert torch.allclose(views.pixels @ views.rays, identity, atol=EXACT)


def test_shifted_rays_go_through_another_point_of_the_pixel() -> None:
    cameras = cameras_of([Eye(yaw_rad=0.3)], "cpu")
    plain, shifted = (camera_views(cameras, 48, 64, shift_px=shift) for shift in ((0, 0), (0.25, -0.5)))
    pixel = torch.tensor([10.0, 20.0, 1.0], dtype=torch.float64)
    offset = torch.tensor([0.25, -0.5, 0.0], dtype=torch.float64)
    assert torch.allclose(shifted.rays[0] @ pixel, plain.rays[0] @ (pixel + offset), atol=EXACT)


@pytest.mark.parametrize("target", [(0.0, 0.0, 0.0), (3.0, 1.0, 0.0)])
def test_a_light_sees_its_target_in_the_middle_of_its_map(target: tuple[float, float, float]) -> None:
    light = Light((0.0, 0.0, 5.0), target, 0.8, (1.0, 1.0, 1.0), True, 1.0)
    views = light_views([light], 64, "cpu")
    seen = views.pixels[0] @ (torch.tensor(target, dtype=torch.float64) - views.position[0])
    assert (seen[:2] / seen[2]).tolist() == pytest.approx([31.5, 31.5], abs=0.02)  # straight below it is moved by 1 mm
    assert (views.height_px, views.width_px) == (64, 64)


def test_a_view_behind_a_mirror_sees_reflected_points_at_the_same_pixels() -> None:
    def content(d: Draft, p: Palette) -> None:
        with d.at(0.5, 3.0, 1.0, yaw=0.4):
            d.box(0, 0, 0, 2, 0.1, 2, p.mirror())

    solids, views = seen_from(content, Eye((0.2, 0.0, 1.5)), (48, 64))
    behind = mirrored_views(views, solids, solids.mirrors)
    normal, glass = solids.rotation[0, :, 1], solids.centre[0] - solids.rotation[0, :, 1] * 0.05  # towards the camera
    point = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
    virtual = point - 2 * normal * ((point - glass) @ normal)
    direct = views.pixels[0] @ (virtual - views.position[0])
    reflected = behind.pixels[0] @ (point - behind.position[0])
    assert torch.allclose(direct, reflected, atol=EXACT)
