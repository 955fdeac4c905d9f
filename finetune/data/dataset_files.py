"""Writes the files of Hypersim and Virtual KITTI 2: images, depth in their units, cameras; each whole or not at all.

Sources: the data sets' own pages (apple/ml-hypersim README; Virtual KITTI 2.0.3 README) and the readers of
DepthAnything/Depth-Anything-V2, metric_depth/dataset/hypersim.py and vkitti2.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...bench.datasets.hypersim_cameras import HYPERSIM_FOCAL_PX, HYPERSIM_WIDTH_PX, RAY_COLUMNS, TABLE
from ...bench.datasets.true_depth import VKITTI2_SKY, VKITTI2_UNITS_PER_M
from ...engine.errors import InputError
from ...engine.system.files import atomic_path, make_folder
from ..scenes.rays.camera import Cameras

HYPERSIM_SIZE_PX = (768, HYPERSIM_WIDTH_PX)  # (h, w); readers of Hypersim expect this size
VKITTI2_SIZE_PX = (375, 1242)  # (h, w)
VKITTI2_FOCAL_PX = 725.0087
_JPEG_QUALITY = 95


def hypersim_distance(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance along each ray from planar depth; NaN for pixels without depth.

    Source: apple/ml-hypersim issue 9; a reader inverts it: depth = distance * f / |(x, y, f)|.
    """
    height, width = depth_m.shape
    focal = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    x = np.arange(width) - (width - 1) / 2
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    distance = depth_m * (np.sqrt(x * x + y * y + focal * focal) / focal)
    return np.where(depth_m > 0, distance, np.nan).astype(np.float32)


def vkitti2_centimetres(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return depth in whole centimetres, VKITTI2_SKY for pixels without depth."""
    whole = np.clip(np.rint(depth_m.astype(np.float64) * VKITTI2_UNITS_PER_M), 1, VKITTI2_SKY - 1)
    return np.where(depth_m > 0, whole, VKITTI2_SKY).astype(np.uint16)


def write_hypersim_camera(folder: Path, cameras: Cameras, index: int) -> None:
    """Write the key frame of a camera; Hypersim's cameras have x right, y up, z backwards.

    Args:
        folder: ai_VVV_NNN.
        cameras: Cameras of a batch.
        index: Number of the camera in the batch.
    """
    position, rotation = cameras.position[index].cpu().numpy(), cameras.rotation[index].cpu().numpy()
    detail = folder / "_detail" / "cam_00"
    make_folder(detail)
    write_h5(detail / "camera_keyframe_positions.hdf5", position[None])
    write_h5(detail / "camera_keyframe_orientations.hdf5", (rotation * [1.0, -1.0, -1.0])[None])
    write_h5(detail / "camera_keyframe_frame_indices.hdf5", np.zeros(1, np.int64))
    write_text(folder / "_detail" / "metadata_cameras.csv", "camera_name\ncam_00\n")
    write_text(folder / "_detail" / "metadata_scene.csv", "parameter_name,parameter_value\nmeters_per_asset_unit,1.0\n")


def write_hypersim_table(root: Path, scenes: Sequence[str], size_px: tuple[int, int]) -> None:
    """Write the table of the scenes' cameras, which all are the standard camera.

    Args:
        root: Folder of the data set.
        scenes: Names of the scenes.
        size_px: (h, w) of the images.
    """
    focal_px = HYPERSIM_FOCAL_PX * size_px[1] / HYPERSIM_WIDTH_PX
    rays = np.diag([size_px[1] / 2 / focal_px, size_px[0] / 2 / focal_px, -1.0])  # takes [u, v, 1] to a ray
    cells = ",".join(repr(float(cell)) for cell in rays.ravel())
    heading = ",".join(["scene_name", *RAY_COLUMNS])
    write_text(root / TABLE, "\n".join([heading, *(f"{scene},{cells}" for scene in scenes)]) + "\n")


def write_vkitti2_cameras(folder: Path, cameras: Cameras, size_px: tuple[int, int], focal_px: float) -> None:
    """Write intrinsic.txt and extrinsic.txt of a folder; KITTI's world has x right, y down, z forward.

    Args:
        folder: SceneNN/VARIANT.
        cameras: A camera for each frame.
        size_px: (h, w) of the images.
        focal_px: Focal length of all cameras.
    """
    kitti_from_world = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    centre = f"{(size_px[1] - 1) / 2:g} {(size_px[0] - 1) / 2:g}"
    columns = " ".join(f"r{i},1 r{i},2 r{i},3 t{i}" for i in (1, 2, 3))
    intrinsic, extrinsic = ["frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]"], [f"frame cameraID {columns} 0 0 0 1"]
    for frame, (position, rotation) in enumerate(zip(cameras.position.numpy(), cameras.rotation.numpy(), strict=True)):
        camera_from_world = (kitti_from_world @ rotation).T
        offset = -camera_from_world @ (kitti_from_world @ position)
        values = [*np.column_stack([camera_from_world, offset]).ravel(), 0.0, 0.0, 0.0, 1.0]
        intrinsic.append(f"{frame} 0 {focal_px:.8g} {focal_px:.8g} {centre}")
        extrinsic.append(f"{frame} 0 " + " ".join(f"{value:.10g}" for value in values))
    write_text(folder / "intrinsic.txt", "\n".join(intrinsic) + "\n")
    write_text(folder / "extrinsic.txt", "\n".join(extrinsic) + "\n")


def write_jpeg(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image (h, w, 3), RGB."""
    _write_bytes(path, ".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def write_png(path: Path, depth: NDArray[np.uint16]) -> None:
    """Write depth (h, w) as a PNG with a single channel of 16 bits."""
    _write_bytes(path, ".png", depth, [])


def _write_bytes(path: Path, suffix: str, image: NDArray[np.generic], options: list[int]) -> None:
    done, data = cv2.imencode(suffix, np.ascontiguousarray(image), options)
    assert done
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data.tobytes())


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with atomic_path(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_h5(path: Path, values: NDArray[np.generic]) -> None:
    """Write an array as the data set `dataset` of an HDF5 file."""
    import h5py

    try:
        with atomic_path(path) as unfinished, h5py.File(unfinished, "w") as file:
            file.create_dataset("dataset", data=values)
    except RuntimeError as error:  # h5py raises it for a full disk
        raise InputError(f"{path} cannot be written ({error}); check the disk and its rights") from error
