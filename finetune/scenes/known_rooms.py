"""Renders the few rooms of exact depth by which `depthrt adopt` probes a file: images, depth, focal lengths."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from ...engine.system.files import atomic_path
from .render import render_scenes

# (setting, seed): two rooms and a street that no vertical gradient explains, and a room that it explains in part (rank
# correlation with exact depth 0.39, 0.40, 0.41 and 0.67; the model that comes with depthrt has 0.95 or more on each).
ROOMS = (("indoor", 4), ("indoor", 8), ("indoor", 11), ("outdoor", 0))
IMAGE_PX = (240, 320)  # (h, w)
STRIDE_PX = 4  # depth of every fourth pixel says enough
FOLDER = Path(__file__).parents[2] / "export" / "adopt" / "probes" / "rooms"
_JPEG_QUALITY = 92


def write_rooms(folder: Path) -> list[Path]:
    """Write each room as an image, and the depth of all as depth.npz; return the files.

    depth.npz holds depth_m (rooms, h / 4, w / 4) float32, 0 for the sky, and focal_px (rooms,) float64 of the images.
    """
    height, width = IMAGE_PX
    rooms = [
        render_scenes([seed], height_px=height, width_px=width, setting=setting, samples=4) for setting, seed in ROOMS
    ]
    files = []
    for number, room in enumerate(rooms):
        files.append(folder / f"room-{number}.jpg")
        bgr = np.ascontiguousarray(room.image[0].permute(1, 2, 0).numpy()[:, :, ::-1])
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        with atomic_path(files[-1]) as path:
            path.write_bytes(data.tobytes())
    files.append(folder / "depth.npz")
    depth_m = np.concatenate([np.where(room.valid, room.depth_m, 0) for room in rooms])
    with atomic_path(files[-1]) as path, path.open("wb") as file:
        np.savez_compressed(
            file,
            depth_m=depth_m[:, ::STRIDE_PX, ::STRIDE_PX],
            focal_px=np.array([float(room.intrinsics[0, 0]) for room in rooms]),
        )
    return files


if __name__ == "__main__":
    for written in write_rooms(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(written)  # noqa: T201
