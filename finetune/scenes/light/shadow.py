"""Soft shadows: maps of blurred moments of the distance from a light, and the share of its light at a point.

Source: Donnelly and Lauritzen, Variance Shadow Maps, I3D 2006, section 3 (Chebyshev's bound of the lit share).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..draft import Light
from ..rays.camera import light_views
from ..rays.cast import cast
from ..rays.solids import Solids
from ..rays.views import TILE_PX, Views

SIDES_PX = (128, 64)  # of the shadow maps of a scene's first and second light; the second is soft
_BLUR_PX = 4  # reach of the blur to each side
_FAR_M = 60.0  # behind the target, the largest distance that is stored
_STEPS = 64  # per pixel; lookups are rounded, so that a map's position among the others changes no bit
_BLEED = 0.25  # smaller shares of light are 0, which hides light that leaks through overlapping shadows


@dataclass(frozen=True, slots=True)
class Shadows:
    """Shadow maps of a light of each scene.

    Args:
        views: Views from the lights.
        moments: (1, 2, rows, side) float32, blurred distance from the target and its square; the maps lie below each
            other, and the number of rows is a power of two, so that lookups in any map round alike.
        reach_m: (lights,) float32, distance from each light to its target.
    """

    views: Views
    moments: torch.Tensor
    reach_m: torch.Tensor

    def lit(self, light: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
        """Return the share of light that arrives, (t, n) float32 in [0, 1].

        Args:
            light: (t,) int64, scene of each row.
            point: (3, t, n) float32, world.
        """
        side = self.views.width_px
        to_map = self.views.pixels[light]
        start = -(to_map * self.views.position[light][:, None, :]).sum(2)
        rows, start = to_map.permute(1, 2, 0)[..., None].float(), start.t()[..., None].float()
        mapped = torch.addcmul(start, rows[:, 0], point[0])
        mapped.addcmul_(rows[:, 1], point[1]).addcmul_(rows[:, 2], point[2])  # (3, t, n): u z, v z, z
        depth = mapped[2]
        at = (mapped[:2] / depth.clamp(min=0.05)).clamp_(0, side - 1).add_(0.5)
        at[1].mul_(_STEPS).round_().div_(_STEPS).add_((light * side)[:, None])
        grid = torch.stack([at[0] * (2 / side) - 1, at[1] * (2 / self.moments.shape[2]) - 1], -1)
        mean, square = F.grid_sample(self.moments, grid[None], align_corners=False)[0]
        behind = (depth - (self.reach_m[light][:, None] + 0.02)).sub_(mean).clamp_(min=0.0).square_()
        variance = torch.addcmul(square, mean, mean, value=-1).clamp_(min=2e-3)
        return (variance / (variance + behind)).sub_(_BLEED).mul_(1 / (1 - _BLEED)).clamp_(min=0)


def cast_shadows(solids: Solids, lights: Sequence[Light], side_px: int, device: str) -> Shadows:
    """Return the shadow maps of a light of each scene."""
    views = light_views(lights, side_px, device)
    hits = cast(solids, views, skip=solids.material["glow"] > 0)
    side = side_px // TILE_PX
    inverse = hits.inverse.view(-1, side, side, TILE_PX, TILE_PX).transpose(2, 3).reshape(-1, side_px, side_px)
    reach = torch.tensor([_distance(light) for light in lights], device=device)
    beyond = (1 / inverse.clamp(min=1e-4) - reach[:, None, None]).clamp(max=_FAR_M)
    softness = torch.tensor([light.softness_px for light in lights], device=device) * (side_px / SIDES_PX[0])
    moments = _blurred(torch.stack([beyond, beyond * beyond], 0), softness).view(1, 2, -1, side_px)
    rows = 1 << (moments.shape[2] - 1).bit_length()
    return Shadows(views, F.pad(moments, (0, 0, 0, rows - moments.shape[2])), reach)


def _distance(light: Light) -> float:
    return float(sum((t - p) ** 2 for t, p in zip(light.target, light.position, strict=True)) ** 0.5)


def _blurred(maps: torch.Tensor, sigma_px: torch.Tensor) -> torch.Tensor:
    """Blur maps (2, lights, h, w) by a Gaussian with a width for each light."""
    steps = torch.arange(-_BLUR_PX, _BLUR_PX + 1, device=maps.device)
    weights = torch.exp(-0.5 * (steps / sigma_px[:, None].clamp(min=0.3)) ** 2)
    weights = (weights / weights.sum(1, keepdim=True))[:, :, None, None]
    for dim in (2, 3):
        padding = (0, 0, _BLUR_PX, _BLUR_PX) if dim == 2 else (_BLUR_PX, _BLUR_PX, 0, 0)
        wide = F.pad(maps, padding, mode="replicate")
        maps = weights[:, 0] * wide.narrow(dim, 0, maps.shape[dim])
        for k in range(1, 2 * _BLUR_PX + 1):
            maps = torch.addcmul(maps, weights[:, k], wide.narrow(dim, k, maps.shape[dim]))
    return maps
