"""Exact planar depth: the surface of each pixel, evaluated in float64 at the pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .cast import Hits
from .forms import quadric_forms
from .solids import KIND_BOX, Solids
from .surface import CAPS
from .views import Views, tile_pixels

_CHUNK_TILES = {"cpu": 1024, "cuda": 1 << 17}  # tiles at once
FACES = 8  # of a solid: six of a box, or the side (0) and both caps (6, 7) of a round solid


@dataclass(frozen=True, slots=True)
class ExactDepth:
    """Depth of tiles and the planes of flat surfaces.

    Args:
        depth_m: (tiles, TILE_AREA) float32, planar depth, 0 for the sky.
        plane: (tiles, TILE_AREA) int32, solid * FACES + face if the surface is flat, else -1.
        planes: (solids * FACES, 3) float64, inverse depth as (a, b, c): a u + b v + c at pixel (u, v).
    """

    depth_m: torch.Tensor
    plane: torch.Tensor
    planes: torch.Tensor


def exact_depth(solids: Solids, views: Views, hits: Hits, face: torch.Tensor) -> ExactDepth:
    """Evaluate the surface that each pixel hits.

    Args:
        solids: The table of solids.
        views: View of each scene, in order.
        hits: Nearest solid of each pixel.
        face: (tiles, TILE_AREA) uint8, face of that solid.
    """
    own = solids.rotation.transpose(1, 2) / solids.half[:, :, None]
    origin = (own * (views.position[solids.scene] - solids.centre)[:, None, :]).sum(2)
    rays = (own[:, :, :, None] * views.rays[solids.scene][:, None]).sum(2)
    surfaces = _Surfaces(_planes(origin, rays), quadric_forms(origin, rays, solids.profile)[0], _flat_faces(solids))
    depth_m = torch.empty_like(hits.inverse)
    plane = torch.empty_like(hits.solid)
    corner_u, corner_v = (corner.repeat(len(views.scene))[:, None] for corner in views.tile_corner())
    pixel_u, pixel_v = tile_pixels(depth_m.device)
    for start in range(0, len(depth_m), _CHUNK_TILES[depth_m.device.type]):
        part = slice(start, start + _CHUNK_TILES[depth_m.device.type])
        u, v = corner_u[part] + pixel_u, corner_v[part] + pixel_v
        inverse, plane[part] = _evaluate(surfaces, hits.solid[part], face[part], hits.inverse[part], u, v)
        depth_m[part] = torch.where(inverse > 0, 1 / inverse, 0.0)
    return ExactDepth(depth_m, plane, surfaces.planes)


@dataclass(frozen=True, slots=True)
class _Surfaces:
    """Inverse depth of all surfaces, as polynomials in pixel coordinates."""

    planes: torch.Tensor  # (solids * FACES, 3)
    forms: torch.Tensor  # (solids, 2, 6): beta and delta
    flat: torch.Tensor  # (solids * FACES,) bool


def _evaluate(
    surfaces: _Surfaces, solid: torch.Tensor, face: torch.Tensor, near: torch.Tensor, u: torch.Tensor, v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inverse depth (t, n) float64 and plane (t, n) int32 of tiles; near is the float32 estimate."""
    shape, somewhere = solid.shape, (solid >= 0).view(-1)
    index = (solid.clamp(min=0) * FACES + face).view(-1)
    a, b, c = surfaces.planes.index_select(0, index).unbind(1)
    u, v = u.view(-1), v.view(-1)
    inverse = torch.addcmul(c, a, u).addcmul_(b, v)
    flat = surfaces.flat.index_select(0, index)
    curved = (~flat & somewhere).nonzero()[:, 0]
    forms = surfaces.forms.index_select(0, solid.view(-1).index_select(0, curved))
    inverse.index_copy_(0, curved, _root(forms, u[curved], v[curved], near.view(-1)[curved]))
    inverse.masked_fill_(~somewhere, 0.0)
    return inverse.view(shape), torch.where(flat & somewhere, index, -1).view(shape)


def _flat_faces(solids: Solids) -> torch.Tensor:
    """Return which faces are flat, (solids * FACES,) bool."""
    cap = torch.arange(FACES, device=solids.kind.device) >= CAPS
    return ((solids.kind == KIND_BOX)[:, None] | cap).view(-1)


def _planes(origin: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
    """Return the planes of all faces: face 2 k is at -1 and face 2 k + 1 at 1 on axis k; 6 and 7 are 4 and 5."""
    at = torch.tensor([-1.0, 1.0], dtype=torch.float64, device=origin.device)
    gap = at - origin[..., None]
    gap = torch.where(gap.abs() < 1e-12, 1e-12, gap)
    faces = (rays[:, :, None, :] / gap[..., None]).view(-1, 6, 3)
    return torch.cat([faces, faces[:, 4:]], 1).view(-1, 3)


def _root(forms: torch.Tensor, u: torch.Tensor, v: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """Return the root beta + sqrt(delta) or beta - sqrt(delta), on the side of beta of the float32 estimate."""
    (bu, bv, b1, *_), (du, dv, d1, duu, duv, dvv) = (form.unbind(1) for form in forms.unbind(1))
    beta = bu * u + bv * v + b1
    delta = (duu * u + duv * v + du) * u + (dvv * v + dv) * v + d1
    root = delta.clamp(min=0.0).sqrt()
    return torch.where(near.double() >= beta, beta + root, beta - root)
