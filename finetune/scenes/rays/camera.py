"""Cameras of a batch, and the views of cameras, lights and mirrors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..draft import Eye, Light, eye_rotation, look_at
from ..frames import Vector
from .solids import Solids
from .views import Views


@dataclass(frozen=True, slots=True)
class Cameras:
    """Pinhole cameras, one for each scene; x right, y down, z forward.

    Args:
        position: (b, 3) float64, world, metres; z is up.
        rotation: (b, 3, 3) float64, world from camera.
        fov_rad: (b,) float64, angle of view of the image's longer side.
    """

    position: torch.Tensor
    rotation: torch.Tensor
    fov_rad: torch.Tensor

    def focal_px(self, height_px: int, width_px: int) -> torch.Tensor:
        """Return the focal length for an image size, (b,) float64; pixels are square."""
        return max(height_px, width_px) / 2 / torch.tan(self.fov_rad / 2)


def cameras_of(eyes: Sequence[Eye], device: str) -> Cameras:
    """Return the cameras of eyes."""
    return Cameras(
        torch.tensor([eye.position for eye in eyes], dtype=torch.float64, device=device),
        torch.tensor([eye_rotation(eye) for eye in eyes], dtype=torch.float64, device=device).view(-1, 3, 3),
        torch.tensor([eye.fov_rad for eye in eyes], dtype=torch.float64, device=device),
    )


def camera_views(cameras: Cameras, height_px: int, width_px: int, *, shift_px: tuple[float, float] = (0, 0)) -> Views:
    """Return the views of cameras; pixel centres are whole numbers, the optical axis is the middle of the image.

    Args:
        cameras: Camera of each scene, in order.
        height_px, width_px: Size of the image.
        shift_px: (u, v), offset of all rays within their pixel.
    """
    focal = cameras.focal_px(height_px, width_px)
    centre = ((width_px - 1) / 2 - shift_px[0], (height_px - 1) / 2 - shift_px[1])
    scene = torch.arange(len(focal), device=focal.device)
    return _views(scene, cameras.position, cameras.rotation, focal, centre, height_px, width_px)


def light_views(lights: Sequence[Light], side_px: int, device: str) -> Views:
    """Return the views of the shadow maps of lights, one light for each scene."""
    eyes = [look_at(Eye(light.position), _off_axis(light.position, light.target)) for light in lights]
    cameras = cameras_of(eyes, device)
    reach = torch.tensor([math.tan(light.reach_rad) for light in lights], dtype=torch.float64, device=device)
    scene = torch.arange(len(lights), device=device)
    centre = ((side_px - 1) / 2, (side_px - 1) / 2)
    return _views(scene, cameras.position, cameras.rotation, side_px / 2 / reach, centre, side_px, side_px)


def mirrored_views(views: Views, solids: Solids, mirrors: torch.Tensor) -> Views:
    """Return the views from behind mirrors: the ray of a pixel is the reflection of that pixel's ray.

    Args:
        views: View of each scene, in order.
        solids: The table of solids.
        mirrors: (m,) int64, rows of mirrors, boxes whose second axis is normal to the glass.
    """
    scene = solids.scene[mirrors]
    normal = solids.rotation[mirrors][:, :, 1]
    offset = views.position[scene] - solids.centre[mirrors]
    across = (normal * offset).sum(1)
    across = across - torch.sign(across) * solids.half[mirrors][:, 1]  # to the face towards the viewer
    flip = torch.eye(3, dtype=torch.float64, device=scene.device) - 2 * normal[:, :, None] * normal[:, None, :]
    return Views(
        scene,
        views.position[scene] - 2 * across[:, None] * normal,
        (flip[..., None] * views.rays[scene][:, None]).sum(2),
        (views.pixels[scene][..., None] * flip[:, None]).sum(2),
        views.height_px,
        views.width_px,
    )


def _views(
    scene: torch.Tensor,
    position: torch.Tensor,
    rotation: torch.Tensor,
    focal: torch.Tensor,
    centre: tuple[float, float],
    height_px: int,
    width_px: int,
) -> Views:
    x, y, z = rotation.unbind(2)
    u, v = x / focal[:, None], y / focal[:, None]
    rays = torch.stack([u, v, z - u * centre[0] - v * centre[1]], 2)
    u, v = x * focal[:, None] + z * centre[0], y * focal[:, None] + z * centre[1]
    return Views(scene, position, rays, torch.stack([u, v, z], 1), height_px, width_px)


def _off_axis(position: Vector, target: Vector) -> Vector:
    """Move a target that is straight below the light, because its yaw would be undefined."""
    if math.hypot(position[0] - target[0], position[1] - target[1]) < 1e-6:
        return (target[0], target[1] + 1e-3, target[2])
    return target
