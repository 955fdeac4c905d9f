"""Planar depth to float precision: each pixel's surface evaluated in float64 at the pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .cast import Hits
from .forms import quadric_forms
from .stage import KIND_BOX, Solids
from .surface import CAPS
from .views import Views, tile_pixels

FACES = 8  # a solid: six of a box, or the side (0) and both caps (6, 7) of a round one


@dataclass(frozen=True, slots=True)
class Depth:
    """Depth of tiles and the planes it lies on.

    Args:
        inverse: (tiles, TILE_AREA) float64, inverse planar depth, 0 where nothing is.
        plane: (tiles, TILE_AREA) int32, solid * FACES + face where the surface is flat, else -1.
        planes: (solids * FACES, 3) float64, inverse depth as (a, b, c): a u + b v + c at pixel (u, v).
    """

    inverse: torch.Tensor
    plane: torch.Tensor
    planes: torch.Tensor


def exact_depth(solids: Solids, views: Views, hits: Hits, face: torch.Tensor) -> Depth:
    """Evaluate the surfaces that hits names; views are one a scene, in order."""
    own = solids.rotation.transpose(1, 2) / solids.half[:, :, None]
    origin = (own * (views.position[solids.scene] - solids.centre)[:, None, :]).sum(2)
    rays = (own[:, :, :, None] * views.rays[solids.scene][:, None]).sum(2)
    planes = _planes(origin, rays)
    u, v = _pixels(views, hits.inverse.device)
    solid = hits.solid.view(-1)
    index = solid.clamp(min=0).mul_(FACES).add_(face.view(-1))
    a, b, c = planes.index_select(0, index).unbind(1)
    inverse = torch.addcmul(c, a, u).addcmul_(b, v)
    flat = _flat_faces(solids).index_select(0, index) & (solid >= 0)
    curved = (~flat & (solid >= 0)).nonzero()[:, 0]
    forms, _ = quadric_forms(origin, rays, solids.profile)
    own_forms = forms.index_select(0, solid.index_select(0, curved))
    roots = _root(own_forms, u[curved], v[curved], hits.inverse.view(-1)[curved])
    inverse.masked_fill_(solid < 0, 0.0).index_copy_(0, curved, roots)
    plane = torch.where(flat, index, -1)
    return Depth(inverse.view(hits.solid.shape), plane.view(hits.solid.shape), planes)


def _flat_faces(solids: Solids) -> torch.Tensor:
    """Return which faces are flat, (solids * FACES,) bool."""
    cap = torch.arange(FACES, device=solids.kind.device) >= CAPS
    return ((solids.kind == KIND_BOX)[:, None] | cap).view(-1)


def _planes(origin: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
    """Return the faces of all solids: own coordinate k is at -1 (face 2 k) or 1 (face 2 k + 1); 6, 7 are 4, 5."""
    at = torch.tensor([-1.0, 1.0], dtype=torch.float64, device=origin.device)
    gap = at - origin[..., None]
    gap = torch.where(gap.abs() < 1e-12, 1e-12, gap)
    faces = (rays[:, :, None, :] / gap[..., None]).view(-1, 6, 3)
    return torch.cat([faces, faces[:, 4:]], 1).view(-1, 3)


def _root(forms: torch.Tensor, u: torch.Tensor, v: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """Return the root beta +- sqrt(delta) that is on the side of a float32 estimate."""
    (bu, bv, b1, *_), (du, dv, d1, duu, duv, dvv) = (form.unbind(1) for form in forms.unbind(1))
    beta = bu * u + bv * v + b1
    delta = (duu * u + duv * v + du) * u + (dvv * v + dv) * v + d1
    root = delta.clamp(min=0.0).sqrt()
    return torch.where(near.double() >= beta, beta + root, beta - root)


def _pixels(views: Views, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (u, v) of all pixels of all tiles, (tiles * TILE_AREA,) float64."""
    corner_u, corner_v = views.tile_corner()
    u, v = tile_pixels(device)
    u, v = corner_u[:, None] + u, corner_v[:, None] + v
    return u.repeat(len(views.scene), 1).view(-1), v.repeat(len(views.scene), 1).view(-1)
