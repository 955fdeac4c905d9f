"""Measured depth and its files; Hypersim's distances and Virtual KITTI 2's centimetres become metres.

Sources: the data sets' pages (apple/ml-hypersim README and issue 9; Virtual KITTI 2.0.3 README).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.read import READERS, read_codes
from ...engine.errors import BackendUnavailable, InputError
from ...engine.terms import KINDS, Kind

MM_PER_M = 1000.0
HYPERSIM_FOCAL_PX = 886.81  # at HYPERSIM_WIDTH_PX; proportional to the width
HYPERSIM_WIDTH_PX = 1024
VKITTI2_SKY = 65535  # centimetres that stand for the sky; also the largest value of a file
VKITTI2_UNITS_PER_M = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class TrueDepth:
    """Measured depth of one image.

    Args:
        values: (H, W) float32; metres for "metric", any unit and larger is nearer for "inverse".
        valid: (H, W) bool; values that are not finite or not positive become invalid.
        kind: "metric" or "inverse".

    Raises:
        InputError: The values are not (H, W), or the shapes differ.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    kind: Kind = "metric"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.size == 0 or self.values.shape != self.valid.shape:
            raise InputError(f"values {self.values.shape}, valid {self.valid.shape} found, expected one shape (H, W)")
        if self.kind not in KINDS:
            raise InputError(f"kind {self.kind!r} found, expected one of {', '.join(KINDS)}")
        object.__setattr__(self, "valid", self.valid & np.isfinite(self.values) & (self.values > 0))

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.values.shape[0], self.values.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image of a data set: its name, pixels (H, W, 3) uint8 BGR, and measured depth, of any size."""

    name: str
    image: NDArray[np.uint8]
    truth: TrueDepth


def read_true_depth(path: Path, *, units_per_m: float = MM_PER_M) -> TrueDepth:
    """Read a depth file: .npy .npz .pfm .exr .tif .tiff or 16-bit .png.

    Files of depthrt come back with their kind, except .npy and .pfm, which hold no kind. All others are read as metres,
    whole numbers as 1 / units_per_m metres. 0, NaN and infinity are unknown depth.

    Args:
        path: The file.
        units_per_m: Units a metre of whole numbers: 1000 for millimetres, 256 for KITTI's files.

    Raises:
        InputError: The file is missing, damaged, or holds no depth.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: suffix {path.suffix!r} found, expected one of {' '.join(READERS)}")
    try:
        values, kind = reader(path)
        divisor = units_per_m if values.dtype.kind in "ui" else 1.0
        return _known((np.squeeze(values).astype(np.float64) / divisor).astype(np.float32), kind)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected a depth file; check the path") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, SyntaxError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read as depth ({reason}); write it again") from error


def read_hypersim(path: Path) -> TrueDepth:
    """Read Hypersim's distance along each ray as planar depth.

    Raises:
        InputError: The file is not one of Hypersim's.
        BackendUnavailable: h5py is missing.
    """
    h5py = import_h5py()
    try:
        with h5py.File(path, "r") as file:
            distance = np.asarray(file["dataset"], np.float64)
        height, width = distance.shape
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a depth file of Hypersim ({error}); download it again") from error
    focal = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    x = np.arange(width) - (width - 1) / 2
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    planar = distance * focal / np.sqrt(x * x + y * y + focal * focal)
    return _known(planar.astype(np.float32), "metric")


def read_vkitti2(path: Path) -> TrueDepth:
    """Read Virtual KITTI 2's centimetres; the sky is unknown depth.

    Raises:
        InputError: The file is not a 16-bit PNG.
    """
    codes = read_codes(path)
    metres = (codes / VKITTI2_UNITS_PER_M).astype(np.float32)
    return TrueDepth(metres, codes < VKITTI2_SKY)


def import_h5py() -> ModuleType:
    """Import h5py.

    Raises:
        BackendUnavailable: It is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise BackendUnavailable(
            "h5py is missing, which this data set's files need: pip install 'depthrt[bench]'"
        ) from error
    module: ModuleType = h5py
    return module


def _known(values: NDArray[np.float32], kind: Kind) -> TrueDepth:
    return TrueDepth(values, np.ones(values.shape, np.bool_), kind)
