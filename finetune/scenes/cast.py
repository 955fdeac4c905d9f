"""Nearest hits of all rays of many views with analytic solids, tile by tile.

Everything is done in inverse depth w = 1 / z. For a camera it is affine in pixel coordinates over a plane, and
beta + sqrt(delta) with beta affine and delta quadratic over a quadric, so a solid is a few polynomials a tile.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .stage import KIND_BALL, KIND_BOX, KIND_LACE, KIND_ROUND, Solids

TILE_PX = 8  # side of a tile; 4, 8, 16 measured
TILE_AREA = TILE_PX * TILE_PX
_NEAR = 0.01  # metres; bounds of solids are cut there
_LEAF_LEVEL = -0.1  # of five waves; about half of a lace solid is holes
_ALWAYS = 1e9  # inverse depth of a plane that does not limit
_CHUNK_TILES = {"cpu": 1024, "cuda": 1 << 16}  # tiles at once: stays in the cache of a core, fills a GPU
_EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 6), (5, 7), (6, 7))


@dataclass(frozen=True, slots=True)
class Views:
    """Cameras of one picture size.

    Args:
        scene: (v,) int64, the scene each looks at.
        position: (v, 3) float64, world.
        rays: (v, 3, 3) float64, world direction of pixel (u, v, 1), of unit depth.
        pixels: (v, 3, 3) float64, the inverse: (u z, v z, z) of a world offset.
        height_px, width_px: Size of the picture.
    """

    scene: torch.Tensor
    position: torch.Tensor
    rays: torch.Tensor
    pixels: torch.Tensor
    height_px: int
    width_px: int

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles (down, across)."""
        return -(-self.height_px // TILE_PX), -(-self.width_px // TILE_PX)

    @property
    def tiles(self) -> int:
        """Number of tiles of all views."""
        return len(self.scene) * self.grid[0] * self.grid[1]

    def tile_view(self) -> torch.Tensor:
        """Return the view of each tile, (tiles,) int64."""
        area = self.grid[0] * self.grid[1]
        return torch.arange(len(self.scene), device=self.scene.device).repeat_interleave(area)

    def tile_corner(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (u, v) of the first pixel of each tile of one view, (tiles of a view,) float64 each."""
        down, across = self.grid
        at = torch.arange(down * across, device=self.scene.device)
        return (at % across).double() * TILE_PX, (at // across).double() * TILE_PX


@dataclass(frozen=True, slots=True)
class Hits:
    """What each pixel sees, tile by tile.

    Args:
        inverse: (tiles, TILE_AREA) float32, inverse depth; 0 where nothing is.
        solid: (tiles, TILE_AREA) int32, row in the table of solids; -1 where nothing is.
    """

    inverse: torch.Tensor
    solid: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Solids of one kind against the tiles they may touch: forms about each tile's first pixel."""

    forms: torch.Tensor  # (p, k, 3 or 6) float64
    origin: torch.Tensor  # (p, 3) float64, the camera in the solid's frame
    solid: torch.Tensor  # (p,) int64
    tile: torch.Tensor  # (p,) int64


def cast(solids: Solids, views: Views, *, skip: torch.Tensor | None = None, limit: torch.Tensor | None = None) -> Hits:
    """Find the nearest solid of every pixel.

    Args:
        solids: What there is.
        views: Who looks.
        skip: (n,) bool, solids left out.
        limit: (tiles, TILE_AREA) float32, inverse depth beyond which solids count (nearer ones do not); tiles
            that are 0 everywhere are not cast.
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
    span = _tile_spans(solids, views, view, solid)
    wanted = None if limit is None else limit.amax(1) > 0
    for kind, polynomials in _FORMS.items():
        chosen = (outside & (solids.kind[solid] == kind)).nonzero()[:, 0]
        if len(chosen):
            forms = polynomials(origin[chosen], rays[chosen], solids, solid[chosen])
            entry, tile = _tile_pairs(view[chosen], span[chosen], views, wanted)
            if len(entry):
                pairs = _Pairs(_shifted(forms[entry], views, tile), origin[chosen][entry], solid[chosen][entry], tile)
                _cast_kind(kind, pairs, hits, limit)
    return hits


def _entries(solids: Solids, views: Views, skip: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pairs (view, solid) of the same scene."""
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
    """Return camera position (e, 3) and ray matrix (e, 3, 3) in the frame where a solid fills [-1, 1]."""
    own = solids.rotation[solid].transpose(1, 2) / solids.half[solid][:, :, None]
    offset = views.position[view] - solids.centre[solid]
    return (own * offset[:, None, :]).sum(2), (own[:, :, :, None] * views.rays[view][:, None]).sum(2)


def _outside(solids: Solids, solid: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
    """Return which solids the camera is not within, (e,) bool."""
    kind, (q0, q1, q2) = solids.kind[solid], solids.profile[solid].unbind(1)
    x, y, z = origin.unbind(1)
    beside = x * x + y * y > q0 + q1 * z + q2 * z * z
    past = (z.abs() > 1) | solids.hollow[solid]
    return torch.where(kind == KIND_BOX, origin.abs().amax(1) > 1, beside | ((kind == KIND_ROUND) & past))


def _tile_spans(solids: Solids, views: Views, view: torch.Tensor, solid: torch.Tensor) -> torch.Tensor:
    """Return the tiles (top, left, down, across) that each solid's box may touch, (e, 4) int64; down is 0 for none."""
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
    """Return the least and greatest (u, v) of points (e, 3, k) as u z, v z, z; only those that count."""
    at = points[:, :2] / torch.where(counts, points[:, 2], 1.0)[:, None]
    return (
        torch.where(counts[:, None], at, torch.inf).amin(2),
        torch.where(counts[:, None], at, -torch.inf).amax(2),
    )


def _crossings(corners: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where the edges of boxes (e, 3, 8) meet the near plane, (e, 3, 12), and whether they do."""
    edges = torch.tensor(_EDGES, device=corners.device)
    a, b = corners[:, :, edges[:, 0]], corners[:, :, edges[:, 1]]
    met = (a[:, 2] < _NEAR) != (b[:, 2] < _NEAR)
    step = torch.where(met, (_NEAR - a[:, 2]) / (b[:, 2] - a[:, 2]), 0.0)
    return a + (b - a) * step[:, None], met


def _box_planes(origin: torch.Tensor, rays: torch.Tensor, solids: Solids, solid: torch.Tensor) -> torch.Tensor:
    """Return the planes of boxes as affine inverse depths: the near one of each axis, then its two far ones."""
    del solids, solid
    upper, lower = _divided(rays, 1 - origin), _divided(rays, -1 - origin)
    above, below = (origin > 1)[..., None], (origin < -1)[..., None]
    always = torch.tensor([0.0, 0.0, _ALWAYS], dtype=rays.dtype, device=rays.device)
    near = torch.where(above, upper, torch.where(below, lower, always))
    first = torch.where(below, upper, lower)
    second = torch.where(above, lower, upper)
    return torch.cat([near, first, second], 1)  # (e, 9, 3)


def _ball_forms(origin: torch.Tensor, rays: torch.Tensor, solids: Solids, solid: torch.Tensor) -> torch.Tensor:
    """Return beta and delta of ellipsoids, (e, 2, 6): w = beta + sqrt(delta)."""
    del solids, solid
    profile = torch.tensor([[1.0, 0.0, -1.0]], dtype=origin.dtype, device=origin.device)
    return quadric_forms(origin, rays, profile)[0]


def _round_forms(origin: torch.Tensor, rays: torch.Tensor, solids: Solids, solid: torch.Tensor) -> torch.Tensor:
    """Return beta, delta, height, cap and rim of round solids, (e, 5, 6).

    A root w counts where |origin_z w + height| <= w; the cap's inverse depth counts where the rim is positive.
    """
    profile, hollow = solids.profile[solid], solids.hollow[solid]
    forms, _ = quadric_forms(origin, rays, profile)
    side = torch.where(hollow | (origin[:, 2] < 0), -1.0, 1.0)
    radius2 = profile[:, 0] + profile[:, 1] * side + profile[:, 2]
    cap = _divided(rays[:, 2], side - origin[:, 2])
    x = origin[:, :1] * cap + rays[:, 0]
    y = origin[:, 1:2] * cap + rays[:, 1]
    rim = radius2[:, None] * _square(cap) - _square(x) - _square(y)
    hidden = (~hollow & (origin[:, 2].abs() <= 1))[:, None]
    rim = torch.where(hidden, torch.tensor([0, 0, -1.0, 0, 0, 0], dtype=rim.dtype, device=rim.device), rim)
    return torch.cat([forms, torch.stack([_padded(rays[:, 2]), _padded(cap), rim], 1)], 1)


def _lace_forms(origin: torch.Tensor, rays: torch.Tensor, solids: Solids, solid: torch.Tensor) -> torch.Tensor:
    """Return beta, delta and the direction of the ray in the solid's frame, (e, 5, 6); the latter times its lace."""
    lace = solids.lace[solid][:, None, None]
    return torch.cat([_ball_forms(origin, rays, solids, solid), torch.nn.functional.pad(rays * lace, (0, 3))], 1)


def quadric_forms(origin: torch.Tensor, rays: torch.Tensor, profile: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (beta, delta) as polynomials (e, 2, 6) in (u, v, 1, uu, uv, vv), and the constant c (e,).

    The quadric x^2 + y^2 = q0 + q1 z + q2 z^2 is a t^2 + 2 b t + c = 0 along a ray, so w = (-b +- sqrt(b^2 - a c)) / c.
    """
    q0, q1, q2 = (profile[:, k : k + 1] for k in range(3))
    ox, oy, oz = (origin[:, k : k + 1] for k in range(3))
    c = ox * ox + oy * oy - q0 - q1 * oz - q2 * oz * oz
    c = torch.where(c.abs() < 1e-9, 1e-9, c)
    b = ox * rays[:, 0] + oy * rays[:, 1] - (0.5 * q1 + q2 * oz) * rays[:, 2]
    a = _square(rays[:, 0]) + _square(rays[:, 1]) - q2 * _square(rays[:, 2])
    beta = b / -c
    delta = _square(beta) - a / c
    return torch.stack([_padded(beta), delta], 1), c[:, 0]


def _square(affine: torch.Tensor) -> torch.Tensor:
    """Return the square of affine forms (e, 3) in (u, v, 1) as (e, 6) in (u, v, 1, uu, uv, vv)."""
    u, v, k = affine.unbind(1)
    return torch.stack([2 * u * k, 2 * v * k, k * k, u * u, 2 * u * v, v * v], 1)


def _padded(affine: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(affine, (0, 3))


def _divided(rays: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    safe = torch.where(by.abs() < 1e-9, 1e-9, by)
    return rays / safe[..., None]


def _tile_pairs(
    view: torch.Tensor, span: torch.Tensor, views: Views, wanted: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pairs (entry, tile) whose rectangles meet."""
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
    """Return polynomials (p, k, 3 or 6) about the first pixel of their tile."""
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
    """Cast solids of one kind, round by round: in round k the k-th solid of every tile that has so many."""
    device, tiles = pairs.tile.device, len(hits.inverse)
    counts = torch.bincount(pairs.tile, minlength=tiles)
    order = torch.argsort(counts, descending=True, stable=True)  # the tiles of every round come first
    place = torch.empty_like(order)
    place[order] = torch.arange(tiles, device=device)
    by_tile = torch.argsort(place[pairs.tile], stable=True)
    sorted_counts = counts[order]
    rank = torch.arange(len(by_tile), device=device) - torch.repeat_interleave(
        torch.cumsum(sorted_counts, 0) - sorted_counts, sorted_counts
    )
    row = by_tile[torch.argsort(rank, stable=True)]
    forms, origin, solid = pairs.forms[row].float(), pairs.origin[row].float(), pairs.solid[row].int()[:, None]
    inverse, found = hits.inverse.index_select(0, order), hits.solid.index_select(0, order)
    beyond = None if limit is None else limit[order]
    basis, chunk = _basis(forms.shape[2], device), _CHUNK_TILES[device.type]
    start = 0
    for count in torch.bincount(rank).tolist():
        for low in range(0, count, chunk):
            size = min(chunk, count - low)
            part, here = slice(start + low, start + low + size), slice(low, low + size)
            w = _EVALUATE[kind](forms[part], origin[part], basis)
            if beyond is not None:
                w = torch.where(w < beyond[here], w, 0.0)
            nearer = w > inverse[here]
            torch.where(nearer, solid[part], found[here], out=found[here])
            torch.where(nearer, w, inverse[here], out=inverse[here])
        start += count
    hits.inverse.index_copy_(0, order, inverse)
    hits.solid.index_copy_(0, order, found)


def tile_pixels(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (u, v) of the pixels of a tile from its first one, (TILE_AREA,) float32 each."""
    at = torch.arange(TILE_AREA, device=device)
    return (at % TILE_PX).float(), (at // TILE_PX).float()


def _basis(terms: int, device: torch.device) -> torch.Tensor:
    """Return u, v, 1, uu, uv, vv of a tile's pixels, (3 or 6, TILE_AREA) float32."""
    u, v = tile_pixels(device)
    return torch.stack([u, v, torch.ones_like(u), u * u, u * v, v * v][:terms])


def _values(forms: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    return (forms.view(-1, forms.shape[2]) @ basis).view(len(forms), forms.shape[1], TILE_AREA)


def _evaluate_box(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the inverse depth where a ray is past all near planes, 0 if it has left through a far one by then."""
    del origin
    values = _values(forms, basis)
    enters = torch.minimum(torch.minimum(values[:, 0], values[:, 1]), values[:, 2])
    leaves = values[:, 3:].amax(1)
    return torch.where(enters >= leaves, enters, 0.0)


def _evaluate_ball(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the larger root; not a number where there is none, which compares as not nearer."""
    del origin
    values = _values(forms, basis)
    return values[:, 1].sqrt_().add_(values[:, 0])


def _evaluate_round(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the largest of both roots that lie within the height, and the cap within its rim."""
    beta, delta, height, cap, rim = _values(forms, basis).unbind(1)
    root = delta.sqrt_()
    near, far = beta + root, beta - root
    lift = origin[:, 2:]
    near = torch.where((lift * near + height).abs_() <= near, near, 0.0)
    far = torch.where((lift * far + height).abs_() <= far, far, 0.0)
    return torch.maximum(torch.maximum(near, far), torch.where(rim >= 0, cap, 0.0))


def _evaluate_lace(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the larger root that is not in a hole; holes are where waves across the solid are low."""
    beta, delta, x, y, z = _values(forms, basis).unbind(1)
    root = delta.sqrt_()
    near, far = beta + root, beta - root
    near = torch.where(_is_leaf(near, (x, y, z), origin), near, 0.0)
    return torch.maximum(near, torch.where(_is_leaf(far, (x, y, z), origin), far, 0.0))


def _is_leaf(inverse: torch.Tensor, ray: tuple[torch.Tensor, ...], origin: torch.Tensor) -> torch.Tensor:
    """Return whether there is matter at an inverse depth; ray and origin are in waves across the solid."""
    depth = 1 / inverse
    x, y, z = (torch.addcmul(origin[:, k : k + 1], axis, depth) for k, axis in enumerate(ray))
    waves = (x + 0.6 * y).sin_() + (1.1 * y - 0.7 * z).sin_() + (1.2 * z + 0.5 * x).sin_()
    fine = (2.3 * y + 1.7 * x).sin_() + (2.9 * z - 1.9 * y).sin_()
    return (waves + fine > _LEAF_LEVEL) & (inverse > 0)


_FORMS = {KIND_BOX: _box_planes, KIND_ROUND: _round_forms, KIND_BALL: _ball_forms, KIND_LACE: _lace_forms}
_EVALUATE = {
    KIND_BOX: _evaluate_box,
    KIND_BALL: _evaluate_ball,
    KIND_ROUND: _evaluate_round,
    KIND_LACE: _evaluate_lace,
}
