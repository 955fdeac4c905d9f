"""What a mirror shows: the homography of the rays that it reflects, into a picture of the scene."""

from __future__ import annotations

import numpy as np

from .plane import Camera, Float64, Plane
from .rectangles import project

_UP = np.array([0.0, -1.0, 0.0])
_ZOOMS = (1.0, 0.8, 0.65, 0.5, 0.4)  # of the reflected angle, until what the mirror shows is within the picture
_TARGETS = 4  # points of the picture tried at each zoom
_MARGIN = 0.02  # of the picture's sides


def reflection(
    plane: Plane, camera: Camera, outline: Float64, size_px: tuple[int, int], rng: np.random.Generator
) -> Float64 | None:
    """Return the homography (3, 3) from pixels of a mirror to pixels of the picture that they show; None without one.

    The scene is taken to be far away, as in a map of the surroundings: a reflected ray is looked up by its direction.
    A mirror that faces the camera shows what is behind it, of which there is no picture; so the directions are turned,
    upright, until the middle of the mirror looks at a point of the scene's own picture.

    Args:
        plane: Of the mirror.
        camera: K of the image and of the picture.
        outline: (n, 2), of the mirror in the image.
        size_px: (h, w) of the picture.
        rng: Draws the point.
    """
    height, width = size_px
    back = np.linalg.inv(camera)
    normal = plane.normal(camera)
    normal = normal / np.linalg.norm(normal)
    flip = np.eye(3) - 2 * np.outer(normal, normal)
    middle = flip @ back @ np.array([*outline.mean(0), 1.0])
    if abs(_unit(middle) @ _UP) > 0.95:
        return None
    for zoom in _ZOOMS:
        zoomed = camera @ np.diag([zoom, zoom, 1.0])
        for target in rng.uniform((0.2, 0.2), (0.8, 0.8), (_TARGETS, 2)) * (width, height):
            turn = _upright(back @ np.array([*target, 1.0])) @ _upright(middle).T
            shift = np.eye(3)
            homography = zoomed @ turn @ flip @ back
            seen = np.column_stack([outline, np.ones(len(outline))]) @ homography[2]
            if seen.min() <= 0.05 * seen.max():
                continue
            shift[:2, 2] = (
                target - project(homography, outline.mean(0)[None])[0]
            )  # zoom is about the middle of the image
            homography = shift @ homography
            if _inside(project(homography, outline), size_px):
                return homography
    return None


def _upright(direction: Float64) -> Float64:
    """Return the frame (3, 3) that looks in a direction: right, down, forward as columns."""
    forward = _unit(direction)
    across = _unit(np.cross(-_UP, forward))
    return np.stack([across, np.cross(forward, across), forward], 1)


def _inside(points: Float64, size_px: tuple[int, int]) -> bool:
    margin = _MARGIN * np.array(size_px[::-1])
    return bool((points >= margin).all() and (points <= np.array(size_px[::-1]) - 1 - margin).all())


def _unit(vector: Float64) -> Float64:
    unit: Float64 = vector / np.linalg.norm(vector)
    return unit
