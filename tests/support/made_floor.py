"""Depth that a test makes of a flat floor, a wall and a box on the floor, and which pixel shows what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthrt.engine.depth.intrinsics import Intrinsics

SIZE_PX = (120, 160)
CAMERA = Intrinsics.from_fov(75, *SIZE_PX)
HEIGHT_M, WALL_M = 0.4, 4.0
BOX_TOP_M, BOX_NEAR_M, BOX_LEFT_M, BOX_RIGHT_M = 0.12, 1.5, -0.5, 0.2


@dataclass(frozen=True)
class Seen:
    """What a camera sees.

    Args:
        depth_m: (H, W).
        height_m: (H, W), over the floor.
        floor: (H, W), pixels of the floor.
    """

    depth_m: NDArray[np.float32]
    height_m: NDArray[np.float64]
    floor: NDArray[np.bool_]


def see(height_m: float = HEIGHT_M, pitch_deg: float = 10.0, roll_deg: float = 0.0, wall_m: float = WALL_M) -> Seen:
    """Return what a camera sees that looks down by `pitch_deg` at a floor, the front of a box and a wall."""
    right, down, ahead = _axes(pitch_deg, roll_deg)
    rays = _rays()
    with np.errstate(divide="ignore"):
        floor_m = np.where(rays @ down > 1e-9, height_m / (rays @ down), np.inf)
    wall = wall_m / (rays @ ahead)
    box = BOX_NEAR_M / (rays @ ahead)
    over, aside = height_m - box * (rays @ down), box * (rays @ right)
    in_box = (over > 0) & (over < BOX_TOP_M) & (aside > BOX_LEFT_M) & (aside < BOX_RIGHT_M)
    depth_m = np.minimum(np.minimum(floor_m, wall), np.where(in_box, box, np.inf))
    return Seen(depth_m.astype(np.float32), height_m - depth_m * (rays @ down), depth_m == floor_m)


def noisy(depth_m: NDArray[np.float32], share: float = 0.05) -> NDArray[np.float32]:
    """Return depth with noise of each pixel, as a share of it."""
    noise = np.random.default_rng(1).standard_normal(depth_m.shape)
    return np.asarray(depth_m * (1 + share * noise), np.float32)


def _rays() -> NDArray[np.float64]:
    """Return the ray of unit depth of each pixel, (H, W, 3)."""
    rows, columns = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    x, y = (columns - CAMERA.cx_px) / CAMERA.fx_px, (rows - CAMERA.cy_px) / CAMERA.fy_px
    return np.stack([x, y, np.ones(SIZE_PX)], axis=-1)


def _axes(pitch_deg: float, roll_deg: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the world's right, down and forward axes as the camera has them."""
    (cp, sp), (cr, sr) = ((np.cos(angle), np.sin(angle)) for angle in np.radians([pitch_deg, roll_deg]))
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return turn @ [1, 0, 0], turn @ [0, cp, sp], turn @ [0, -sp, cp]
