"""Rotations and frames in plain Python numbers, which for three values are faster than arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

Vector = tuple[float, float, float]
Rotation = tuple[float, ...]  # nine numbers, row by row: world from local
IDENTITY: Rotation = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to draw in: origin in the world, rotation of its axes, scale."""

    origin: Vector
    rotation: Rotation
    scale: float


WORLD = Frame((0.0, 0.0, 0.0), IDENTITY, 1.0)


def profile_of(base: float, top: float, bulge: float) -> tuple[Vector, float]:
    """Return (q0, q1, q2) with (x^2 + y^2) = q0 + q1 z + q2 z^2 over z in [-1, 1], and the widest radius."""
    mean, slope = (base + top) / 2, (top - base) / 2
    middle = mean * (1 + bulge)
    if bulge:
        q0 = middle * middle
        q1 = (top * top - base * base) / 2
        q2 = (top * top + base * base) / 2 - q0
    else:
        q0, q1, q2 = mean * mean, 2 * mean * slope, slope * slope
    peak = max(q0 + q1 + q2, q0 - q1 + q2, q0)
    if q2 < 0 and abs(q1) < -2 * q2:
        peak = max(peak, q0 - q1 * q1 / (4 * q2))
    return (q0 / peak, q1 / peak, q2 / peak), math.sqrt(peak)


def between(start: Vector, end: Vector) -> tuple[Vector, Rotation, float]:
    """Return the middle of a segment, the rotation that takes z to its direction, and its length."""
    dx, dy, dz = (e - s for e, s in zip(end, start, strict=True))
    length = math.sqrt(dx * dx + dy * dy + dz * dz) or 1e-6
    z = (dx / length, dy / length, dz / length)
    side = (0.0, 1.0, 0.0) if abs(z[1]) < 0.9 else (1.0, 0.0, 0.0)
    x = _cross(side, z)
    norm = math.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
    x = (x[0] / norm, x[1] / norm, x[2] / norm)
    y = _cross(z, x)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, (start[2] + end[2]) / 2)
    return middle, (x[0], y[0], z[0], x[1], y[1], z[1], x[2], y[2], z[2]), length


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def turned(r: Rotation, v: Vector) -> Vector:
    """Return r v."""
    x, y, z = v
    return (r[0] * x + r[1] * y + r[2] * z, r[3] * x + r[4] * y + r[5] * z, r[6] * x + r[7] * y + r[8] * z)


def product(a: Rotation, b: Rotation) -> Rotation:
    """Return a b."""
    if a is IDENTITY:
        return b
    return (
        a[0] * b[0] + a[1] * b[3] + a[2] * b[6],
        a[0] * b[1] + a[1] * b[4] + a[2] * b[7],
        a[0] * b[2] + a[1] * b[5] + a[2] * b[8],
        a[3] * b[0] + a[4] * b[3] + a[5] * b[6],
        a[3] * b[1] + a[4] * b[4] + a[5] * b[7],
        a[3] * b[2] + a[4] * b[5] + a[5] * b[8],
        a[6] * b[0] + a[7] * b[3] + a[8] * b[6],
        a[6] * b[1] + a[7] * b[4] + a[8] * b[7],
        a[6] * b[2] + a[7] * b[5] + a[8] * b[8],
    )
