"""Bounds of solids in the image: the tiles in the rectangle around a solid's box, cut at the near plane."""

from __future__ import annotations

import torch

from .solids import Solids
from .views import TILE_PX, Views

_NEAR = 0.01  # metres from the camera to the near plane
_EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 6), (5, 7), (6, 7))


def tile_spans(solids: Solids, views: Views, view: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Return the rectangle of tiles that each solid's box may touch.

    Args:
        solids: The table of solids.
        views: The views.
        view, solid: (e,) int64, pairs of a view and a solid.

    Returns:
        (e, 4) int64: top, left, number down, number across; number down is 0 if the box is outside the image.
    """
    pixels = views.pixels[view]
    axes = (solids.rotation * solids.half[:, None, :])[solid]
    axes = (pixels[..., None] * axes[:, None]).sum(2)  # (e, 3, 3): u z, v z, z along each half axis
    middle = (pixels * (solids.centre[solid] - views.position[view])[:, None]).sum(2)
    signs = torch.tensor([[(n >> k & 1) * 2 - 1 for k in range(3)] for n in range(8)], device=view.device).double()
    corners = middle[:, :, None] + axes[:, :, :1] * signs[:, 0]
    corners = corners.addcmul_(axes[:, :, 1:2], signs[:, 1]).addcmul_(axes[:, :, 2:], signs[:, 2])  # (e, 3, 8)
    low, high = _bounds(corners, corners[:, 2] >= _NEAR)
    cut = (corners[:, 2].amin(1) < _NEAR).nonzero()[:, 0]
    crossings, met = _crossings(corners[cut])
    more_low, more_high = _bounds(crossings, met)
    low[cut], high[cut] = torch.minimum(low[cut], more_low), torch.maximum(high[cut], more_high)
    size = torch.tensor([views.width_px, views.height_px], device=view.device)
    low, high = low.ceil().clamp(min=0.0), torch.minimum(high.floor(), (size - 1).double())
    some = (low <= high).all(1)
    low, high = (torch.where(some[:, None], x, 0.0).long() // TILE_PX for x in (low, high))
    count = (high - low + 1) * some[:, None]
    return torch.stack([low[:, 1], low[:, 0], count[:, 1], count[:, 0]], 1)


def _bounds(points: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and greatest (u, v) of points (e, 3, k), given as u z, v z, z, for which `counts` is true."""
    at = points[:, :2] / torch.where(counts, points[:, 2], 1.0)[:, None]
    return (
        torch.where(counts[:, None], at, torch.inf).amin(2),
        torch.where(counts[:, None], at, -torch.inf).amax(2),
    )


def _crossings(corners: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the points where the edges of boxes (e, 3, 8) cross the near plane, (e, 3, 12), and which edges do."""
    edges = torch.tensor(_EDGES, device=corners.device)
    a, b = corners[:, :, edges[:, 0]], corners[:, :, edges[:, 1]]
    met = (a[:, 2] < _NEAR) != (b[:, 2] < _NEAR)
    step = torch.where(met, (_NEAR - a[:, 2]) / (b[:, 2] - a[:, 2]), 0.0)
    return a + (b - a) * step[:, None], met
