"""A room of five planes with a post in front of them, drawn with exact depth, as pairs in each layout of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from depthrt.bench.datasets.hypersim_cameras import HYPERSIM_FOCAL_PX, HYPERSIM_WIDTH_PX

WALLS = (  # normal . point = 1, x right, y down, z forward, metres: back, floor, ceiling, left, right
    (0.05, 0.0, 0.25),
    (0.0, 1 / 1.4, 0.0),
    (0.0, -1 / 1.3, 0.0),
    (-1 / 2.0, 0.0, 0.0),
    (1 / 1.7, 0.0, 0.0),
)
POST_M = 2.0  # depth of the post
POST = (0.30, 0.36)  # its columns, as shares of the width


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """A drawn room: image (h, w, 3) uint8 BGR, planar depth (h, w) float32, wall of each pixel (h, w), -1 the post."""

    image: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    wall: NDArray[np.int64]
    camera: NDArray[np.float64]


def draw_room(height: int, width: int, *, seed: int = 0) -> Room:
    """Draw a room with Hypersim's angle of view; the seed decides its colours."""
    rng = np.random.default_rng(seed)
    focal = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    v, u = np.mgrid[:height, :width]
    rays = np.stack([(u - camera[0, 2]) / focal, (v - camera[1, 2]) / focal, np.ones(u.shape)])
    inverse = np.tensordot(np.array(WALLS), rays, 1)  # (walls, h, w); the nearest has the largest
    wall, nearest = inverse.argmax(0), inverse.max(0)
    post = (u >= POST[0] * width) & (u < POST[1] * width)
    wall[post], nearest[post] = -1, 1 / POST_M
    colours = rng.uniform(60, 220, (len(WALLS) + 1, 3))
    light = 0.75 + 0.25 * nearest / nearest.max() + rng.normal(0, 0.02, nearest.shape)
    image = np.clip(colours[wall] * light[..., None], 0, 255).astype(np.uint8)
    return Room(image, (1 / nearest).astype(np.float32), wall, camera)


def distance_of(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Hypersim's distance along each ray of its standard camera."""
    height, width = depth_m.shape
    focal = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height)[:, None] - (height - 1) / 2
    return np.asarray(depth_m * np.sqrt(x**2 + y**2 + focal**2) / focal, np.float32)


def write_hypersim_rooms(folder: Path, count: int, *, size_px: tuple[int, int] = (96, 128)) -> Path:
    """Write rooms in the layout of Hypersim; each has a corner of NaN."""
    for number in range(count):
        room = draw_room(*size_px, seed=number)
        images = folder / f"ai_001_{number + 1:03d}" / "images"
        picture = images / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg"
        depth = images / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
        distance = distance_of(room.depth_m)
        distance[:8, :12] = np.nan
        for path in (picture, depth):
            path.parent.mkdir(parents=True)
        cv2.imwrite(str(picture), room.image)
        with h5py.File(depth, "w") as file:
            file.create_dataset("dataset", data=distance)
    return folder


def write_vkitti2_rooms(folder: Path, count: int, *, size_px: tuple[int, int] = (96, 128)) -> Path:
    """Write rooms in the layout of Virtual KITTI 2; the top rows are sky."""
    for number in range(count):
        room = draw_room(*size_px, seed=number)
        frames = folder / "Scene01" / "clone" / "frames"
        picture = frames / "rgb" / "Camera_0" / f"rgb_{number:05d}.jpg"
        depth = frames / "depth" / "Camera_0" / f"depth_{number:05d}.png"
        codes = np.rint(room.depth_m * 100).astype(np.uint16)
        codes[:10] = 65535
        for path in (picture, depth):
            path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(picture), room.image)
        cv2.imwrite(str(depth), codes)
    return folder
