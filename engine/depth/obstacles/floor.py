"""Metric depth and the height of its camera in, the flat floor under the camera out.

A floor is the plane a · P = 1 of points P; its normal is a / |a|, and its distance from the camera 1 / |a|. A point of
the floor that the depth puts too far by a share e has a · P = 1 + e wherever it lies, so residuals of all distances
compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import NoFloor
from ..cloud import points_of
from ..intrinsics import Intrinsics

HEIGHT_TOLERANCE = 0.25  # share by which the floor's distance may differ from the camera's height
LEAST_SHARE = 0.05  # of the points that lie on a floor
MOST_TILT_DEG, MOST_ROLL_DEG = 60.0, 25.0  # between the floor's normal and the image's downward and sideways axis

_NEAREST_M, _FARTHEST_M = 1e-3, 1e4  # of points that are fitted
_POINTS = 4000  # of them, about
_LEAST_POINTS = 100
_GUESSES = 400  # planes through three random points
_NEAR = 0.04  # residual of a point that lies on a guessed plane
_BELOW = 0.12  # residual of a point that lies below it
_SPREAD = 0.1  # residual of points that tell the deviation
_FLAT = 1e-6  # sine of the angle between a ray and a plane that goes through the camera
_ROUNDS = 10  # of reweighting
_TUKEY = 4.685  # standard deviations. Source: P. J. Huber, Robust Statistics, 2009, section 4.8
_TO_DEVIATION = 1.4826  # from the median of absolute residuals
_LEAST_DEVIATION = 1e-4  # of exact depth, rounded to float32
_SEED = 0  # a depth has one floor, whoever asks

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Floor:
    """A flat floor under a camera.

    Args:
        normal: Unit vector from the camera down to the floor; x right, y down, z forward.
        distance_m: From the camera to the floor, as the depth has it.
        camera_height_m: The true distance, by which heights are scaled: the floor of a depth that is 10 % too far is
            10 % too far down.
        share: Of the points, those on the floor.
        spread_m: Standard deviation of the height of points on the floor.
    """

    normal: tuple[float, float, float]
    distance_m: float
    camera_height_m: float
    share: float
    spread_m: float

    def heights(self, depth_m: Float32, camera: Intrinsics) -> Float32:
        """Return the height of every pixel's point over the floor, (H, W) float32 metres; NaN without a depth.

        Args:
            depth_m: (H, W), metres along the camera's axis.
            camera: Of images of this size.
        """
        height, width = depth_m.shape
        x, y, z = (value / self.distance_m for value in self.normal)
        across = x * (np.arange(width) - camera.cx_px) / camera.fx_px  # (W,)
        down = y * (np.arange(height) - camera.cy_px) / camera.fy_px + z  # (H,)
        towards = across.astype(np.float32)[None, :] + down.astype(np.float32)[:, None]
        found: Float32 = np.float32(self.camera_height_m) * (1 - towards * depth_m)
        return found

    @property
    def place(self) -> str:
        """Return where it is, in words."""
        x, y, z = self.normal
        angles = math.atan2(z, y), math.atan2(x, math.hypot(y, z))
        pitch, roll = (round(math.degrees(angle), 1) + 0.0 for angle in angles)  # + 0.0: no -0.0
        return (
            f"{self.distance_m:.2f} m under the camera, pitch {pitch:.1f} and roll {roll:.1f} degrees, with "
            f"{self.share:.0%} of the points"
        )


def fit_floor(depth_m: Float32, camera: Intrinsics, camera_height_m: float) -> Floor:
    """Return the floor in a depth.

    Planes through random points are judged by how many points lie on them and how few below; the best whose distance is
    about the camera's height is refined by reweighted least squares.

    Args:
        depth_m: (H, W), metres along the camera's axis; what is not from 1 mm to 10 km does not count.
        camera: Of images of this size.
        camera_height_m: Over the floor.

    Raises:
        NoFloor: No plane is plausible; the message names the best one.
    """
    points = _sampled(depth_m, camera)
    if len(points) < _LEAST_POINTS:
        raise NoFloor(f"{len(points)} points with depth found, expected {_LEAST_POINTS} or more to see the floor in")
    guesses = _upright(_guess(points))
    scores = _score(points[::2], guesses)
    fits = _fits(guesses, camera_height_m)
    best: Floor | None = None
    if fits.any():
        best = _floor(points, _refine(points, guesses[fits][np.argmax(scores[fits])]), camera_height_m)
        if _is_plausible(best):
            return best
    elif len(guesses):
        best = _floor(points, guesses[np.argmax(scores)], camera_height_m)
    raise NoFloor(_reason(best, camera_height_m))


def _is_plausible(floor: Floor) -> bool:
    """Whether a plane has enough points, and lies and is tilted as a floor may be."""
    plane = np.array([floor.normal]) / floor.distance_m
    return floor.share >= LEAST_SHARE and len(_upright(plane)) > 0 and bool(_fits(plane, floor.camera_height_m)[0])


def _reason(best: Floor | None, camera_height_m: float) -> str:
    """Return why no floor was found."""
    low, high = ((1 + sign * HEIGHT_TOLERANCE) * camera_height_m for sign in (-1, 1))
    found = "no level plane in view" if best is None else f"the best plane in view is {best.place}"
    return (
        f"no floor found: {found}; expected {LEAST_SHARE:.0%} of the points on a plane {low:.3g} to {high:.3g} m under "
        f"the camera, for the camera height of {camera_height_m:g} m; check it, and that the camera sees the floor"
    )


def _sampled(depth_m: Float32, camera: Intrinsics) -> Float64:
    """Return points of a grid of pixels in the order of rows, (N, 3)."""
    step = max(1, round(math.sqrt(depth_m.size / _POINTS)))
    top, left = min(step // 2, depth_m.shape[0] - 1), min(step // 2, depth_m.shape[1] - 1)
    coarse = depth_m[top::step, left::step]
    seen = Intrinsics(
        camera.fx_px / step, camera.fy_px / step, (camera.cx_px - left) / step, (camera.cy_px - top) / step
    )
    known = (coarse > _NEAREST_M) & (coarse < _FARTHEST_M)
    return points_of(np.where(known, coarse, np.float32(1)), seen)[known].astype(np.float64)


def _guess(points: Float64) -> Float64:
    """Return planes through three random points, two of them from the lowest third of the image, (G, 3)."""
    random = np.random.default_rng(_SEED)
    count = len(points)
    lowest = random.integers(count - count // 3, count, (_GUESSES, 2))
    other = random.integers(count // 3, count, (_GUESSES, 1))
    first, second, third = points[np.hstack([lowest, other])].transpose(1, 0, 2)
    normal = np.cross(second - first, third - first)
    volume = np.sum(first * normal, axis=1)
    regular = np.abs(volume) > _FLAT * np.linalg.norm(first, axis=1) * np.linalg.norm(normal, axis=1)
    found: Float64 = normal[regular] / volume[regular, None]
    return found


def _upright(planes: Float64) -> Float64:
    """Return the planes that lie below the camera and about level."""
    x, y, _ = (planes / np.linalg.norm(planes, axis=1, keepdims=True)).T
    found: Float64 = planes[
        (y > math.cos(math.radians(MOST_TILT_DEG))) & (np.abs(x) < math.sin(math.radians(MOST_ROLL_DEG)))
    ]
    return found


def _fits(planes: Float64, camera_height_m: float) -> NDArray[np.bool_]:
    """Return which planes are about as far below the camera as the floor."""
    off = 1 / np.linalg.norm(planes, axis=1) / camera_height_m - 1
    found: NDArray[np.bool_] = np.abs(off) <= HEIGHT_TOLERANCE
    return found


def _score(points: Float64, planes: Float64) -> Float64:
    """Return for each plane how many points lie on it, less those that lie below: a floor hides what is below it."""
    residuals = points.astype(np.float32) @ planes.astype(np.float32).T - 1  # (N, G)
    below = np.count_nonzero(residuals > _BELOW, axis=0)
    on = (1 - np.minimum(np.abs(residuals) / np.float32(_NEAR), 1) ** 2).sum(axis=0)
    found: Float64 = (on - below).astype(np.float64)
    return found


def _refine(points: Float64, plane: Float64) -> Float64:
    """Return the plane of least squares of the points near a plane, with Tukey's weights.

    What is fitted is inverse depth over rays of unit depth, as the noise of depth is not in the rays: it would tilt the
    plane.
    """
    inverse = 1 / points[:, 2]
    rays = points * inverse[:, None]
    for _ in range(_ROUNDS):
        residuals = points @ plane - 1
        reach = min(_TUKEY * _deviation(residuals), _BELOW)  # beyond it lie walls, which would pull the plane up
        weights = np.clip(1 - (residuals / reach) ** 2, 0, None)  # 0 for a ray that misses the plane
        hit = weights > 0
        scale = weights[hit] / (rays[hit] @ plane)
        rows, right = rays[hit] * scale[:, None], inverse[hit] * scale
        try:
            plane = np.asarray(np.linalg.solve(rows.T @ rows, rows.T @ right), np.float64)
        except np.linalg.LinAlgError:
            break
    return plane


def _deviation(residuals: Float64) -> float:
    """Return the standard deviation of the residuals near 0, from their median."""
    near = np.abs(residuals)[np.abs(residuals) < _SPREAD]
    return max(_TO_DEVIATION * float(np.median(near)) if near.size else 0.0, _LEAST_DEVIATION)


def _floor(points: Float64, plane: Float64, camera_height_m: float) -> Floor:
    residuals = points @ plane - 1
    deviation = _deviation(residuals)
    length = float(np.linalg.norm(plane))
    x, y, z = (float(value) for value in plane / length)
    share = float(np.mean(np.abs(residuals) < max(3 * deviation, 0.01)))
    return Floor((x, y, z), 1 / length, camera_height_m, share, deviation * camera_height_m)
