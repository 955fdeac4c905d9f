"""Rectangles of planes: the homography that takes a picture to its place in the image."""

from __future__ import annotations

import numpy as np

from .plane import Camera, Float64, Plane, through

_UP = np.array([0.0, -1.0, 0.0])  # of the camera, which is about the world's
_FORWARD = np.array([0.0, 0.0, 1.0])
_UPRIGHT = 0.35  # most of a wall's unit normal along up
_LEVEL = 0.4  # of a unit vector up: with less of it in the plane, the plane is a floor or a ceiling


def is_level(plane: Plane, camera: Camera) -> bool:
    """Return whether a plane is more of a floor, a table or a ceiling than of a wall."""
    normal = _unit(plane.normal(camera))
    return bool(np.linalg.norm(_UP - (_UP @ normal) * normal) < _LEVEL)


def is_upright(plane: Plane, camera: Camera) -> bool:
    """Return whether a plane is a wall, as far as the camera is held level."""
    return bool(abs(_unit(plane.normal(camera)) @ _UP) < _UPRIGHT)


def incidence(plane: Plane, camera: Camera, centre: tuple[float, float]) -> float:
    """Return the cosine of the angle between the plane's normal and the ray of a pixel (u, v)."""
    ray = np.linalg.inv(camera) @ np.array([*centre, 1.0])
    return float(abs(_unit(plane.normal(camera)) @ _unit(ray)))


def rectangle(
    plane: Plane,
    camera: Camera,
    centre: tuple[float, float],
    *,
    area_px: float,
    aspect: float,
    roll_rad: float,
) -> Float64 | None:
    """Return the homography (3, 3) that takes the unit square to a rectangle of a plane; None if it is not in front.

    The picture's upper edge is turned towards the top of the image, or away from the camera on a floor.

    Args:
        plane: The plane.
        camera: K.
        centre: (u, v), pixel of the rectangle's centre.
        area_px: Area in the image, as seen at the centre.
        aspect: Width over height, on the plane.
        roll_rad: Turn on the plane.
    """
    normal = plane.normal(camera)
    ray = np.linalg.inv(camera) @ np.array([*centre, 1.0])
    facing = float(normal @ ray)
    if facing <= 0:
        return None
    middle = ray / facing
    across, down = _axes(_unit(normal), roll_rad)
    directions = np.stack([across, down, middle], 1)  # (3, 3): a metre to the right, a metre down, the centre
    seen = camera @ directions
    jacobian = seen[:2, :2] / seen[2, 2] - np.outer(seen[:2, 2], seen[2, :2]) / seen[2, 2] ** 2
    determinant = float(np.linalg.det(jacobian))
    if determinant < 0:  # the picture would be seen from behind
        across = -across
    height = (area_px / max(abs(determinant), 1e-12) / aspect) ** 0.5
    width = height * aspect
    corner = middle - across * width / 2 - down * height / 2
    homography: Float64 = camera @ np.stack([across * width, down * height, corner], 1)
    weights = homography[2] @ np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]])
    return homography if weights.min() > 0.05 * weights.max() else None


def project(homography: Float64, points: Float64) -> Float64:
    """Return where a homography takes points (n, 2)."""
    seen = np.column_stack([points, np.ones(len(points))]) @ homography.T
    projected: Float64 = seen[:, :2] / seen[:, 2:]
    return projected


def turned_plane(camera: Camera, centre: tuple[float, float], yaw_rad: float, pitch_rad: float) -> Plane:
    """Return a plane at distance 1 along the ray of a pixel, turned away from facing it."""
    ray = _unit(np.linalg.inv(camera) @ np.array([*centre, 1.0]))
    across = _unit(np.cross(_UP, ray))
    up = np.cross(ray, across)
    normal = np.cos(yaw_rad) * np.cos(pitch_rad) * ray + np.sin(yaw_rad) * across + np.sin(pitch_rad) * up
    return through(normal / (normal @ ray), camera)


def _axes(normal: Float64, roll_rad: float) -> tuple[Float64, Float64]:
    """Return the directions right and down in a plane."""
    up = _UP - (_UP @ normal) * normal
    if np.linalg.norm(up) < _LEVEL:
        up = _FORWARD - (_FORWARD @ normal) * normal
    down = -_unit(up)
    across = np.cross(down, normal)
    cosine, sine = np.cos(roll_rad), np.sin(roll_rad)
    return cosine * across + sine * down, cosine * down - sine * across


def _unit(vector: Float64) -> Float64:
    length: Float64 = vector / np.linalg.norm(vector)
    return length
