"""Casts all rays of many views against analytic solids, tile by tile: the nearest hit of each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from .bounds import tile_spans
from .forms import EVALUATE, FORMS, tile_basis
from .solids import KIND_BOX, KIND_LACE, KIND_ROUND, Solids
from .views import TILE_AREA, Views

_CHUNK_TILES = {"cpu": 512, "cuda": 1 << 16}  # tiles at once: fits a core's cache, fills a GPU


@dataclass(frozen=True, slots=True)
class Hits:
    """Nearest solid of each pixel, tile by tile.

    Args:
        inverse: (tiles, TILE_AREA) float32, inverse depth; 0 for the sky.
        solid: (tiles, TILE_AREA) int32, row in the table of solids; -1 for the sky.
    """

    inverse: torch.Tensor
    solid: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of a solid of one kind and a tile that it may touch, with polynomials around the tile's first pixel."""

    forms: torch.Tensor  # (p, k, 3 or 6) float64
    origin: torch.Tensor  # (p, 3) float64, the camera in the solid's frame; for lace in waves
    solid: torch.Tensor  # (p,) int64
    tile: torch.Tensor  # (p,) int64


def cast(solids: Solids, views: Views, *, skip: torch.Tensor | None = None, limit: torch.Tensor | None = None) -> Hits:
    """Find the nearest solid of every pixel.

    Args:
        solids: The table of solids.
        views: The views.
        skip: (n,) bool, solids to leave out.
        limit: (tiles, TILE_AREA) float32, inverse depth; solids nearer than it are ignored. Tiles that are 0
            everywhere are not cast.
    """
    device = solids.scene.device
    hits = Hits(
        torch.zeros((views.tiles, TILE_AREA), device=device),
        torch.full((views.tiles, TILE_AREA), -1, dtype=torch.int32, device=device),
    )
    view, solid = _entries(solids, views, skip)
    if not len(view):
        return hits
    origin, rays = _own_frame(solids, views, view, solid)
    outside = _outside(solids, solid, origin)
    span = tile_spans(solids, views, view, solid)
    wanted = None if limit is None else limit.amax(1) > 0
    for kind, polynomials in FORMS.items():
        chosen = (outside & (solids.kind[solid] == kind)).nonzero()[:, 0]
        entry, tile = _tile_pairs(view[chosen], span[chosen], views, wanted)
        if not len(entry):
            continue
        own, start = solid[chosen], origin[chosen]
        forms = polynomials(start, rays[chosen], solids, own)
        if kind == KIND_LACE:
            start = start * solids.lace[own][:, None]
        _cast_kind(kind, _Pairs(_shifted(forms[entry], views, tile), start[entry], own[entry], tile), hits, limit)
    return hits


def _entries(solids: Solids, views: Views, skip: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pairs of a view and a solid of the same scene, (e,) int64 each."""
    counts = (solids.first[1:] - solids.first[:-1])[views.scene]
    view = torch.repeat_interleave(counts)
    start = torch.cumsum(counts, 0) - counts
    solid = torch.arange(len(view), device=view.device) - start[view] + solids.first[views.scene][view]
    if skip is not None:
        kept = ~skip[solid]
        return view[kept], solid[kept]
    return view, solid


def _own_frame(
    solids: Solids, views: Views, view: torch.Tensor, solid: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return camera position (e, 3) and ray matrix (e, 3, 3) in the frame in which the solid fills [-1, 1]."""
    own = solids.rotation[solid].transpose(1, 2) / solids.half[solid][:, :, None]
    offset = views.position[view] - solids.centre[solid]
    return (own * offset[:, None, :]).sum(2), (own[:, :, :, None] * views.rays[view][:, None]).sum(2)


def _outside(solids: Solids, solid: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
    """Return whether the camera is outside the solid, (e,) bool."""
    kind, (q0, q1, q2) = solids.kind[solid], solids.profile[solid].unbind(1)
    x, y, z = origin.unbind(1)
    beside = x * x + y * y > q0 + q1 * z + q2 * z * z
    past = (z.abs() > 1) | solids.hollow[solid]
    return torch.where(kind == KIND_BOX, origin.abs().amax(1) > 1, beside | ((kind == KIND_ROUND) & past))


def _tile_pairs(
    view: torch.Tensor, span: torch.Tensor, views: Views, wanted: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pairs of an entry and a tile of its rectangle."""
    down, across = views.grid
    top, left, high, wide = span.unbind(1)
    area = high * wide
    entry = torch.repeat_interleave(area)
    inside = torch.arange(len(entry), device=entry.device) - (torch.cumsum(area, 0) - area)[entry]
    row, column = top[entry] + inside // wide[entry], left[entry] + inside % wide[entry]
    tile = view[entry] * (down * across) + row * across + column
    if wanted is None:
        return entry, tile
    kept = wanted[tile]
    return entry[kept], tile[kept]


def _shifted(forms: torch.Tensor, views: Views, tile: torch.Tensor) -> torch.Tensor:
    """Return polynomials (p, k, 3 or 6) around the first pixel of their tile."""
    corner_u, corner_v = views.tile_corner()
    at = tile % len(corner_u)
    u0, v0 = corner_u[at][:, None], corner_v[at][:, None]
    u, v, k = forms[..., 0], forms[..., 1], forms[..., 2]
    if forms.shape[2] == 3:
        return torch.stack([u, v, k + u * u0 + v * v0], 2)
    uu, uv, vv = forms[..., 3], forms[..., 4], forms[..., 5]
    moved = k + u * u0 + v * v0 + uu * u0 * u0 + uv * u0 * v0 + vv * v0 * v0
    return torch.stack([u + 2 * uu * u0 + uv * v0, v + uv * u0 + 2 * vv * v0, moved, uu, uv, vv], 2)


def _cast_kind(kind: int, pairs: _Pairs, hits: Hits, limit: torch.Tensor | None) -> None:
    """Cast solids of one kind in rounds: round k takes the k-th solid of every tile with more than k."""
    device, tiles = pairs.tile.device, len(hits.inverse)
    counts = torch.bincount(pairs.tile, minlength=tiles)
    order = torch.argsort(counts, descending=True, stable=True)  # the tiles of every round come first
    order = order[: int((counts > 0).sum())]
    place = torch.empty_like(counts)
    place[order] = torch.arange(len(order), device=device)
    by_tile = torch.argsort(place[pairs.tile], stable=True)
    sorted_counts = counts[order]
    rank = torch.arange(len(by_tile), device=device) - torch.repeat_interleave(
        torch.cumsum(sorted_counts, 0) - sorted_counts, sorted_counts
    )
    row = by_tile[torch.argsort(rank, stable=True)]
    forms, origin, solid = pairs.forms[row].float(), pairs.origin[row].float(), pairs.solid[row].int()[:, None]
    inverse, found = hits.inverse.index_select(0, order), hits.solid.index_select(0, order)
    beyond = None if limit is None else limit[order]
    basis, chunk = tile_basis(forms.shape[2], device), _CHUNK_TILES[device.type]
    start = 0
    for group in _groups(torch.bincount(rank).tolist(), chunk):
        first, end = start, start + sum(size for _, size in group)
        values = EVALUATE[kind](forms[start:end], origin[start:end], basis)
        for low, size in group:
            here = slice(low, low + size)
            w, own = values[start - first : start - first + size], solid[start : start + size]
            if beyond is not None:
                w = torch.where(w < beyond[here], w, 0.0)
            nearer = w > inverse[here]
            torch.where(nearer, own, found[here], out=found[here])
            torch.where(nearer, w, inverse[here], out=inverse[here])
            start += size
    hits.inverse.index_copy_(0, order, inverse)
    hits.solid.index_copy_(0, order, found)


def _groups(counts: list[int], chunk: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the rounds as parts (first tile, tiles) in groups of up to `chunk` tiles, so that few calls do many."""
    group: list[tuple[int, int]] = []
    filled = 0
    for count in counts:
        for low in range(0, count, chunk):
            size = min(chunk, count - low)
            if filled + size > chunk:
                yield group
                group, filled = [], 0
            group.append((low, size))
            filled += size
    if group:
        yield group
