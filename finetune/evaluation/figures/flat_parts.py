"""How flat an answer is inside a plane of the scene, and how it steps across the plane's edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ....bench.accuracy.alignment import Float64
from ....bench.datasets.regions import FLAT
from .parts import LEAST_PX, Part, across_edge, find_parts
from .scene_view import SceneView

ROUNDING = 1e-6  # of depth; float32 answers that are planes have no less
EVEN = 0.005  # flat residual of measured depth: that of depth in centimetres, 1 m away
MOST_UNEVEN = 0.02  # above it a part is no plane
BEND = 0.02  # second difference of inverse depth over inverse depth, from pixel to pixel


def off_plane(values: Float64, pixels: NDArray[np.bool_]) -> Float64:
    """Return the residual (n,) of the pixels' values against their best affine function of the pixel's position.

    The inverse depth of a plane is affine there: n . X = d with X = z (u', v', 1) gives 1 / z = n . (u', v', 1) / d.

    Args:
        values: (H, W).
        pixels: (H, W) bool, one or more.
    """
    rows, columns = np.nonzero(pixels)
    places = np.stack([np.ones(rows.size), rows - rows.mean(), columns - columns.mean()], 1)
    found = values[pixels]
    residual: Float64 = found - places @ np.linalg.lstsq(places, found, rcond=None)[0]
    return residual


def flat_residual(inverse: Float64, scene: SceneView, part: Part) -> float:
    """Return how far an answer is from any plane inside a part, as a share of depth.

    sqrt(mean(r^2)) / mean(1 / z) with r of off_plane and the true z. To first order it is the relative error of depth
    that is left after the best plane. An answer in another scale has the same residual, because it is aligned.

    Args:
        inverse: (H, W) aligned inverse depth.
        scene, part: The part is one of the scene.
    """
    return _share(off_plane(inverse, part.inner), scene, part)


def plane_error(inverse: Float64, scene: SceneView, part: Part) -> float:
    """Return how far an answer is from the true plane inside a part, as a share of depth.

    sqrt(mean((d - 1 / z)^2)) / mean(1 / z), with the aligned inverse depth d and the true z. It is never below
    flat_residual, whose plane is the best one.
    """
    return _share((inverse - scene.inverse)[part.inner], scene, part)


def step_error(inverse: Float64, scene: SceneView, part: Part) -> float | None:
    """Return how far an answer's steps across the edge of a part are from the true steps, as a share of depth.

    The mean of |(d_out - d_in) - (1 / z_out - 1 / z_in)| / max(1 / z_out, 1 / z_in) over pairs of pixels on both sides,
    with the aligned inverse depth d and the true z. None if there are fewer than LEAST_PX pairs, such as for a part
    that fills the image.
    """
    inner, outer = across_edge(part, scene.clean, scene.margin_px)
    if inner[0].size < LEAST_PX:
        return None
    off = inverse - scene.inverse
    nearer = np.maximum(scene.inverse[outer], scene.inverse[inner])
    return float(np.mean(np.abs(off[outer] - off[inner]) / nearer))


def only_planes(scene: SceneView) -> tuple[SceneView, int]:
    """Return a scene whose flat parts are planes of its measured depth, and the number of parts that hold none.

    Two pictures of which one hides some of the other are one connected part; such a part is split where depth bends.
    """
    flat: list[Part] = []
    uneven = 0
    for part in scene.flat:
        pieces = [part] if _unevenness(scene, part) <= EVEN else [*_pieces(scene, part)]
        planes = [piece for piece in pieces if _unevenness(scene, piece) <= MOST_UNEVEN]
        flat += planes
        uneven += not planes
    return replace(scene, flat=tuple(flat)), uneven


def _pieces(scene: SceneView, part: Part) -> Iterator[Part]:
    """Yield the parts of a part between which inverse depth bends or jumps, which it never does in a plane."""
    inverse, judged = scene.inverse, scene.judged
    bent = np.zeros(judged.shape, np.bool_)
    for axis in (0, 1):
        values, known, found = np.moveaxis(inverse, axis, 0), np.moveaxis(judged, axis, 0), np.moveaxis(bent, axis, 0)
        second = np.abs(values[:-2] - 2 * values[1:-1] + values[2:])
        found[1:-1] |= (second > BEND * values[1:-1]) & known[:-2] & known[1:-1] & known[2:]  # into bent
    kept = part.mask & ~bent
    return find_parts({name: scene.inside(name) & kept for name in FLAT}, judged, scene.margin_px)


def _unevenness(scene: SceneView, part: Part) -> float:
    return flat_residual(scene.inverse, scene, part)


def _share(off: Float64, scene: SceneView, part: Part) -> float:
    found = float(np.sqrt(np.mean(off**2)) / np.mean(scene.inverse[part.inner]))
    return found if found > ROUNDING else 0.0
