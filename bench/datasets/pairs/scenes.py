"""Which layout a depth file belongs to, and which scene a pair shows: pairs of one scene are never split.

Layouts: Hypersim, Virtual KITTI 2, KITTI, and plain files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Literal

Layout = Literal["hypersim", "vkitti2", "kitti", "files"]
Files = tuple[Path, Path]  # an image and its depth

IMAGE_FOLDERS = ("rgb", "image", "images", "color", "colour", "photos")
VKITTI2_DEPTH = "frames/depth/Camera_*/depth_*.png"
KITTI_DEPTHS = ("proj_depth/groundtruth/image_*/*.png", "*groundtruth_depth/*_groundtruth_depth_*_image_0?.png")

_NO_SCENES = {*IMAGE_FOLDERS, "train", "training", "val", "validation", "test", "testing"}
_DRIVE = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}_(?:sync|extract)")
_CAMERA = re.compile(r"image_0\d(?=[/.])")
_NUMBER = re.compile(r"(?<!\d)\d{10}(?!\d)")


def layout_of(depth: PurePath) -> Layout:
    """Return the layout of a depth file by its path."""
    if depth.name.endswith(".depth_meters.hdf5"):
        return "hypersim"
    if ends_as(depth, VKITTI2_DEPTH):
        return "vkitti2"
    return "kitti" if ends_as(depth, *KITTI_DEPTHS) else "files"


def ends_as(path: PurePath, *patterns: str) -> bool:
    """Whether the last parts of a path match one of several patterns; the name is compared first, which is fast."""
    return any(fnmatchcase(path.name, pattern.rpartition("/")[2]) and path.match(pattern) for pattern in patterns)


def scenes_of(layout: Layout, files: Sequence[Files], roots: Sequence[Path]) -> list[str]:
    """Return the scene of each pair: Hypersim's ai_VVV_NNN, Virtual KITTI's SceneNN, KITTI's drive.

    Args:
        layout: Of all pairs.
        files: Their images and depth files.
        roots: Folders of the data set; the first that holds all images counts, else what their folders have in common.
    """
    if layout != "files":
        return [_scene_in_layout(layout, depth) for _, depth in files]
    images = [image.absolute() for image, _ in files]
    holding = (root.absolute() for root in roots)
    inside = (root for root in holding if all(image.is_relative_to(root) for image in images))
    common = next(inside, None) or Path(os.path.commonpath([image.parent for image in images]))
    return [plain_scene(image.relative_to(common)) for image in images]


def plain_scene(image: PurePath) -> str:
    """Return the scene of an image of a plain folder: its first folder, or the image itself without one.

    Args:
        image: Path below the folder. Folders that say what they hold, as images or train, do not count.
    """
    folders = [part for part in image.parts[:-1] if part not in ("..", image.anchor)]
    return next((part for part in folders if part.lower() not in _NO_SCENES), image.stem)


def kitti_frame(file: Path) -> tuple[str, str, str]:
    """Return drive, camera and number of a frame by its path; texts are empty where the path does not say.

    Paths: DATE/DRIVE/image_02/data/NUMBER.png, DRIVE/proj_depth/groundtruth/image_02/NUMBER.png, and of the selection
    image/DRIVE_image_NUMBER_image_02.png, groundtruth_depth/DRIVE_groundtruth_depth_NUMBER_image_02.png.
    """
    text = file.absolute().as_posix()
    drive, camera, number = (pattern.findall(text) for pattern in (_DRIVE, _CAMERA, _NUMBER))
    return (drive or [""])[-1], (camera or [""])[-1], (number or [""])[-1]


def _scene_in_layout(layout: Layout, depth: Path) -> str:
    if layout == "kitti":
        return kitti_frame(depth)[0] or depth.stem
    level = 2 if layout == "hypersim" else 4  # SceneNN/VARIANT/frames/depth/Camera_0/depth_00000.png
    folders = depth.absolute().parents
    return folders[min(level, len(folders) - 1)].name or depth.stem
