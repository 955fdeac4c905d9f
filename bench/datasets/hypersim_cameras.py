"""Cameras of Hypersim's scenes: the published table in, the planar depth of each pixel's ray out.

Some scenes were rendered through a shifted or tilted lens. Without the table every scene has the standard camera.
Source: apple/ml-hypersim, contrib/mikeroberts3000/README.md, and issues 24, 25, 78 and 79.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.system.files import check_plain

HYPERSIM_FOCAL_PX = 886.81  # of the standard camera at HYPERSIM_WIDTH_PX; proportional to the width
HYPERSIM_WIDTH_PX = 1024
TABLE = "metadata_camera_parameters.csv"
_TABLE_FOLDER = Path("contrib", "mikeroberts3000")  # in a clone of apple/ml-hypersim
_TABLE_URL = "https://github.com/apple/ml-hypersim/tree/main/contrib/mikeroberts3000"
# Known to differ from the standard camera. Source: the issues named above
SPECIAL_SCENES = ("ai_007_005", "ai_015_001", "ai_019_001", "ai_037_002", "ai_037_004", "ai_041_009")
RAY_COLUMNS = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
_PROJECTION = [f"M_proj_{row}{column}" for row in range(4) for column in range(4)]  # tells the same
_STANDARD = f"the standard camera ({HYPERSIM_FOCAL_PX:g} px, centred)"
_SHOWN = 5  # scenes that a note names

Matrix = NDArray[np.float64]
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cameras:
    """Cameras of a data set's scenes.

    Args:
        path: The table; None without one.
        of_scene: Matrices (3, 3) that turn [u, v, 1] into a ray, by scene; None where the table has no usable numbers.
    """

    path: Path | None = None
    of_scene: Mapping[str, Matrix | None] = field(default_factory=dict)

    def planar_share(self, depth: Path, size_px: tuple[int, int], scene: str | None = None) -> Float64:
        """Return (H, W) planar depth over distance, for each pixel of a depth file.

        Args:
            depth: The depth file.
            size_px: (H, W).
            scene: Name in the table; without it, or if the table lacks it, the folder of the depth file counts.

        Raises:
            InputError: The table has a row for the scene, without usable numbers.
        """
        scene = self._name(depth, scene)
        if scene not in self.of_scene:
            return _standard_share(size_px)
        matrix = self.of_scene[scene]
        if matrix is None:
            raise InputError(f"{depth}: {self.path} has no usable camera of {scene}; leave the scene out")
        return _share(matrix, size_px)

    def notes(self, depths: Iterable[Path], scenes: Iterable[str | None] = ()) -> tuple[str, ...]:
        """Return what a reader must know of the scenes of depth files: which have no camera of their own.

        Args:
            depths: The depth files.
            scenes: Their names in the table, as in planar_share; empty for none.
        """
        scenes = sorted({self._name(depth, scene) for depth, scene in zip_longest(depths, scenes)})
        if self.path is not None:
            missing = [scene for scene in scenes if scene not in self.of_scene]
            return (f"{self.path.name} has no row for {_names(missing)}, read with {_STANDARD}",) if missing else ()
        special = [scene for scene in scenes if scene in SPECIAL_SCENES]
        differ = (
            f"; the cameras of {_names(special)} differ from it, so their depth is wrong by up to some per cent; put "
            f"the table of {_TABLE_URL} beside the scenes"
        )
        return (f"no {TABLE} found, read with {_STANDARD}{differ if special else ''}",) if scenes else ()

    def _name(self, depth: Path, scene: str | None) -> str:
        """Return the name of a depth file's scene: as given, unless only its folder is in the table."""
        names = [name for name in (scene, scene_of(depth)) if name]
        return next((name for name in names if name in self.of_scene or name in SPECIAL_SCENES), names[0])


STANDARD = Cameras()


def find_cameras(depths: Sequence[Path], folder: Path | None = None) -> Cameras:
    """Return the cameras of depth files, from the table that lies beside their scenes or above them.

    Args:
        depths: The depth files.
        folder: Folder of a manifest, where the table is looked for first.

    Raises:
        InputError: The table is damaged.
    """
    scene_folders = dict.fromkeys(depth.absolute().parents[2] for depth in depths if len(depth.absolute().parents) > 2)
    places = dict.fromkeys(place for folder in scene_folders for place in (folder, *folder.parents[:3]))
    places = {**({} if folder is None else {folder.absolute(): None}), **places}
    for place in places:
        for path in (place / TABLE, place / _TABLE_FOLDER / TABLE):
            if path.is_file():
                return Cameras(path, read_table(path))
    return STANDARD


def read_table(path: Path) -> dict[str, Matrix | None]:
    """Read the published table; a table without matrices of rays is read by its projection matrices.

    Raises:
        InputError: It cannot be read, or lacks a column.
    """
    try:
        check_plain(path)
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            given = {*(rows.fieldnames or ())}
            columns = _PROJECTION if given.isdisjoint(RAY_COLUMNS) and given.issuperset(_PROJECTION) else RAY_COLUMNS
            lacking = [name for name in ("scene_name", *columns) if name not in given]
            if lacking:
                raise InputError(f"{path} has no column {lacking[0]}; download it again from {_TABLE_URL}")
            return {row["scene_name"]: _matrix([row[name] for name in columns]) for row in rows}
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read ({error}); download it again from {_TABLE_URL}") from error


def scene_of(depth: Path) -> str:
    """Return the scene of a depth file: SCENE/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5."""
    return depth.absolute().parents[2].name


def _matrix(cells: Sequence[str | None]) -> Matrix | None:
    """Return the matrix of a row, None if a number is missing, not finite, or the rays lie in a plane.

    A projection matrix P (4, 4) takes points to [u, v, w, 1], so its inverse takes [u, v, 0, 1] to a point of the ray.
    """
    try:
        matrix = np.array([float(cell or "nan") for cell in cells])
        matrix = matrix.reshape(3, 3) if matrix.size == 9 else np.linalg.inv(matrix.reshape(4, 4))[:3, [0, 1, 3]]
    except (ValueError, np.linalg.LinAlgError):
        return None
    usable = np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > np.finfo(np.float64).eps
    return matrix if usable else None


def _share(matrix: Matrix, size_px: tuple[int, int]) -> Float64:
    """Return |z| / |ray| of M @ [u, v, 1] at pixel centres; u grows to the right and v upwards, both from -1 to 1."""
    height, width = size_px
    u = (np.arange(width) + 0.5) * 2 / width - 1
    v = 1 - (np.arange(height) + 0.5) * 2 / height
    rays = matrix[:, 0, None, None] * u + matrix[:, 1, None, None] * v[:, None] + matrix[:, 2, None, None]  # (3, H, W)
    share: Float64 = np.abs(rays[2]) / np.sqrt(np.sum(rays * rays, axis=0))
    return share


@lru_cache(maxsize=2)
def _standard_share(size_px: tuple[int, int]) -> Float64:
    height, width = size_px
    focal_px = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    x = np.arange(width) - (width - 1) / 2
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    share: Float64 = focal_px / np.sqrt(x * x + y * y + focal_px * focal_px)
    share.flags.writeable = False  # all callers share it
    return share


def _names(scenes: Sequence[str]) -> str:
    more = len(scenes) - _SHOWN
    return ", ".join(scenes[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
