"""Turns solids into polynomials in pixel coordinates, and evaluates them at the pixels of tiles.

They give inverse depth w = 1 / z. Over a plane w is affine in pixel coordinates; over a quadric it is
beta + sqrt(delta) with affine beta and quadratic delta.
"""

from __future__ import annotations

import torch

from .solids import KIND_BALL, KIND_BOX, KIND_LACE, KIND_ROUND, Solids
from .views import TILE_AREA, tile_pixels

_LEAF_LEVEL = -0.1  # sum of five waves above which lace is solid; about half of it is holes
_BESIDE = 1e-9  # half sides of the solid; smallest distance from the eye to the plane of a face
_ALWAYS = 1e9  # inverse depth of a plane that limits nothing


def _box_planes(origin: torch.Tensor, rays: torch.Tensor, solids: Solids, solid: torch.Tensor) -> torch.Tensor:
    """Return the planes of boxes as affine inverse depths: the near face of each axis, then two far faces of each."""
    del solids, solid
    upper, lower = _divided(rays, 1 - origin), _divided(rays, -(1 + origin))  # -(1 - 1) is minus zero
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

    A root w counts if |origin_z w + height| <= w; the cap's inverse depth counts if the rim is positive.
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
    """Return beta, delta, and the ray's direction in the solid's frame, in waves, (e, 5, 6)."""
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
    """Return rays / by; an eye in a face's plane counts as beside it, on the side of the sign of `by`."""
    safe = torch.where(by.abs() < _BESIDE, torch.full_like(by, _BESIDE).copysign(by), by)
    return rays / safe[..., None]


def tile_basis(terms: int, device: torch.device) -> torch.Tensor:
    """Return u, v, 1, uu, uv, vv of a tile's pixels, (3 or 6, TILE_AREA) float32."""
    u, v = tile_pixels(device)
    return torch.stack([u, v, torch.ones_like(u), u * u, u * v, v * v][:terms])


def _values(forms: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    return (forms.view(-1, forms.shape[2]) @ basis).view(len(forms), forms.shape[1], TILE_AREA)


def _evaluate_box(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the inverse depth at which a ray has passed all near planes, or 0 if it passed a far plane before."""
    del origin
    values = _values(forms, basis)
    enters = torch.minimum(torch.minimum(values[:, 0], values[:, 1]), values[:, 2])
    leaves = values[:, 3:].amax(1)
    return torch.where(enters >= leaves, enters, 0.0)


def _evaluate_ball(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the larger root; NaN, which never compares as nearer, if there is no root."""
    del origin
    values = _values(forms, basis)
    return values[:, 1].sqrt_().add_(values[:, 0])


def _evaluate_round(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the largest of the roots within the height and the cap within its rim."""
    beta, delta, height, cap, rim = _values(forms, basis).unbind(1)
    root = delta.sqrt_()
    near, far = beta + root, beta - root
    lift = origin[:, 2:]
    near = torch.where((lift * near + height).abs_() <= near, near, 0.0)
    far = torch.where((lift * far + height).abs_() <= far, far, 0.0)
    return torch.maximum(torch.maximum(near, far), torch.where(rim >= 0, cap, 0.0))


def _evaluate_lace(forms: torch.Tensor, origin: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    """Return the larger root outside of holes, which are the parts of the solid with a low sum of waves."""
    beta, delta, x, y, z = _values(forms, basis).unbind(1)
    root = delta.sqrt_()
    near, far = beta + root, beta - root
    near = torch.where(_is_leaf(near, (x, y, z), origin), near, 0.0)
    return torch.maximum(near, torch.where(_is_leaf(far, (x, y, z), origin), far, 0.0))


def _is_leaf(inverse: torch.Tensor, ray: tuple[torch.Tensor, ...], origin: torch.Tensor) -> torch.Tensor:
    """Return whether the lace is solid at an inverse depth; ray and origin are in waves."""
    depth = 1 / inverse
    x, y, z = (torch.addcmul(origin[:, k : k + 1], axis, depth) for k, axis in enumerate(ray))
    waves = _wave(x + 0.6 * y).add_(_wave(1.1 * y - 0.7 * z)).add_(_wave(1.2 * z + 0.5 * x))
    fine = _wave(2.3 * y + 1.7 * x).add_(_wave(2.9 * z - 1.9 * y))
    return (waves.add_(fine) > _LEAF_LEVEL) & (inverse > 0)


def _wave(turns: torch.Tensor) -> torch.Tensor:
    """Return a wave of parabolas in [-1, 1], close to a sine; the argument, in turns, is overwritten."""
    turns.sub_(turns.round())
    return torch.addcmul(turns, turns, turns.abs(), value=-2).mul_(8)


FORMS = {KIND_BOX: _box_planes, KIND_ROUND: _round_forms, KIND_BALL: _ball_forms, KIND_LACE: _lace_forms}
EVALUATE = {
    KIND_BOX: _evaluate_box,
    KIND_BALL: _evaluate_ball,
    KIND_ROUND: _evaluate_round,
    KIND_LACE: _evaluate_lace,
}
