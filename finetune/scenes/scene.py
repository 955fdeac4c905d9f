"""A batch of rendered scenes: images, exact depth, masks, planes and cameras."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from .rays.camera import Cameras

VERSION = 2  # raised if a seed's image or depth changes, so that no folder mixes scenes of two versions


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch of b scenes of one image size.

    Args:
        image: (b, 3, h, w) uint8, RGB, sRGB.
        depth_m: (b, h, w) float32, planar depth in metres, exact at the pixel's centre; 0 for the sky.
        valid: (b, h, w) bool, False for the sky.
        mirror, art, window, sky: (b, h, w) bool; window marks pixels that look out through an opening.
        thing: (b, h, w) int32, instance: solids that were drawn together have the same number. It is not always a
            single object. 0 is mostly the room or the ground, -1 the sky.
        plane: (b, h, w) int32, row of `planes` if the surface is flat, else -1.
        planes: (b, p, 3) float64, inverse depth is a u + b v + c at pixel (u, v); padding rows are 0.
        intrinsics: (b, 4) float64, fx, fy, cx, cy in pixels; pixel centres are whole numbers.
        cameras: Cameras in the world.
        seeds: Seed of each scene.
        settings: Name of the kind of each scene.
    """

    image: torch.Tensor
    depth_m: torch.Tensor
    valid: torch.Tensor
    mirror: torch.Tensor
    art: torch.Tensor
    window: torch.Tensor
    sky: torch.Tensor
    thing: torch.Tensor
    plane: torch.Tensor
    planes: torch.Tensor
    intrinsics: torch.Tensor
    cameras: Cameras
    seeds: tuple[int, ...]
    settings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seeds)


def join_scenes(parts: list[Scenes]) -> Scenes:
    """Return several batches of one image size as a single batch."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, object] = {}
    for field in fields(Scenes):
        values = [getattr(part, field.name) for part in parts]
        if field.name == "planes":
            joined[field.name] = _joined_planes(values)
        elif field.name == "cameras":
            joined[field.name] = Cameras(*(torch.cat([getattr(v, f.name) for v in values]) for f in fields(Cameras)))
        elif isinstance(values[0], torch.Tensor):
            joined[field.name] = torch.cat(values)
        else:
            joined[field.name] = tuple(item for value in values for item in value)
    return Scenes(**joined)  # type: ignore[arg-type]


def _joined_planes(values: list[torch.Tensor]) -> torch.Tensor:
    rows = max(value.shape[1] for value in values)
    return torch.cat([torch.nn.functional.pad(value, (0, 0, 0, rows - value.shape[1])) for value in values])
