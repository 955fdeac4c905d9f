"""Measured depth and its files: which numbers are metres and which pixels are known, in all layouts.

Sources: the data sets' pages (apple/ml-hypersim README and issue 9; Virtual KITTI 2.0.3 README).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.read import READERS, read_codes, read_mask, to_map
from ...engine.errors import InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.terms import MEANINGS, Kind
from .hdf5 import find_array, open_hdf5, read_array
from .hypersim_cameras import STANDARD, Cameras
from .same_view import OtherView

MM_PER_M = 1000.0
VKITTI2_SKY = 65535  # centimetres that stand for the sky; also the largest value of a file
VKITTI2_UNITS_PER_M = 100.0
_NO_DEPTH = frozenset({"disp", "disparity", "disparities", "inv", "inverse", "invdepth"})  # words in names
_TRUE_KINDS: tuple[Kind, ...] = ("inverse", "metric", "scale")
_LEAST_BITS = 16  # whole numbers of fewer bits are masks and pictures


@dataclass(frozen=True, slots=True, eq=False)
class TrueDepth:
    """Measured depth of one image.

    Args:
        values: (H, W) float32; metres for "metric"; of any unit for "scale", where larger is farther, and for
            "inverse", where larger is nearer and 0 is infinitely far.
        valid: (H, W) bool; values that are not finite or not positive become invalid.
        kind: "metric", "scale" or "inverse".
        left_out: Pixels that are not valid for another reason than their value, by reason.

    Raises:
        InputError: The values are not (H, W), the shapes differ, or the kind is another.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    kind: Kind = "metric"
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.size == 0 or self.values.shape != self.valid.shape:
            raise InputError(f"values {self.values.shape}, valid {self.valid.shape} found, expected one shape (H, W)")
        if self.kind not in _TRUE_KINDS:
            raise InputError(f"kind {self.kind!r} found, expected one of {', '.join(_TRUE_KINDS)}")
        object.__setattr__(self, "valid", self.valid & np.isfinite(self.values) & (self.values > 0))

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.values.shape[0], self.values.shape[1]

    def without(self, pixels: NDArray[np.bool_], reason: str) -> TrueDepth:
        """Return it with more pixels (H, W) that are not valid."""
        count = int(np.count_nonzero(pixels & self.valid))
        return replace(self, valid=self.valid & ~pixels, left_out={**self.left_out, reason: count}) if count else self


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image of a data set.

    Args:
        name: Of the image.
        image: (H, W, 3) uint8, BGR.
        truth: Measured depth, of any size (h, w).
        regions: (h, w) uint8, bits as in regions.py; None if the data set does not say where they are.
    """

    name: str
    image: NDArray[np.uint8]
    truth: TrueDepth
    regions: NDArray[np.uint8] | None = None


def read_true_depth(path: Path, *, units_per_m: float = MM_PER_M, limits: Limits = DEFAULT_LIMITS) -> TrueDepth:
    """Read a depth file: .npy .npz .pfm .exr .tif .tiff or 16-bit .png.

    Files of depthrt come back with their kind, except .npy and .pfm, which hold no kind. All others are read as metres,
    whole numbers as 1 / units_per_m metres. 0, NaN and infinity are unknown depth, and so is the largest whole number
    of a type, which other programs write for it.

    Args:
        path: The file.
        units_per_m: Units a metre of whole numbers: 1000 for millimetres, 256 for KITTI's files.
        limits: Largest depth map.

    Raises:
        InputError: The file is missing, damaged or over the limits, or holds no depth.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: suffix {path.suffix!r} found, expected one of {' '.join(READERS)}")
    if not path.is_file():  # opening a pipe would wait for ever
        found = "is no regular file" if path.exists() else "does not exist"
        raise InputError(f"{path} {found}, expected a depth file; check the path")
    try:
        values, kind = reader(path, limits)
    except InputError:
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be read as depth ({reason}); write it again") from error
    if kind not in _TRUE_KINDS:
        raise InputError(
            f"{path} holds {MEANINGS[kind].name}, expected depth whose 0 is the camera, because the metrics are made "
            "of ratios; judge by measured depth"
        )
    if kind == "metric" and (words := _NO_DEPTH & _words_of(path)):
        raise InputError(
            f"{path} is named {' and '.join(sorted(words))}, expected depth in metres; turn it into depth, "
            "or save it with its kind as depthrt does"
        )
    return _to_metres(to_map(values), kind, units_per_m, str(path))


def read_masked(path: Path, mask: Path | None, truth: TrueDepth, limits: Limits = DEFAULT_LIMITS) -> TrueDepth:
    """Return the depth of a file without the pixels that a mask leaves out.

    Raises:
        InputError: The mask cannot be read, is not of the depth's size, or has more than two values.
    """
    if mask is None:
        return truth
    try:
        counts = read_mask(mask, limits)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"mask {mask} cannot be read ({' '.join(str(error).split())}); write it again") from error
    if counts.shape != truth.shape:
        raise OtherView(f"mask {mask} is {counts.shape}, depth {path.name} {truth.shape}, expected one shape (H, W)")
    return truth.without(~counts, "by masks")


def read_hypersim(
    path: Path, *, cameras: Cameras = STANDARD, scene: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> TrueDepth:
    """Read Hypersim's distance along each ray as planar depth.

    Args:
        path: The file.
        cameras: Of the data set.
        scene: Name of the scene in the table of cameras; None goes by the folder of the file.
        limits: Largest depth map.

    Raises:
        InputError: The file is not one of Hypersim's, is over the limits, or has no usable camera.
        BackendUnavailable: h5py is missing.
    """
    distance = read_hypersim_distance(path, limits)
    share = cameras.planar_share(path, (distance.shape[0], distance.shape[1]), scene)
    with np.errstate(over="ignore", invalid="ignore"):
        return _known((distance * share).astype(np.float32), "metric")


def read_hypersim_distance(path: Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[Any]:
    """Return the distance along each ray that a file of Hypersim holds, (H, W) floats, as stored.

    Raises:
        InputError: The file is not one of Hypersim's, or is over the limits.
        BackendUnavailable: h5py is missing.
    """
    try:
        with open_hdf5(path) as file:
            distance = read_array(find_array(file, "dataset", path), limits, str(path))
    except InputError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is not a depth file of Hypersim ({error}); download it again") from error
    if distance.ndim != 2 or distance.dtype.kind != "f":
        found = f"{distance.shape} {distance.dtype}"
        raise InputError(
            f"{path} is not a depth file of Hypersim ({found} found, expected (H, W) of floats); download it again"
        )
    return distance


def read_vkitti2(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> TrueDepth:
    """Read Virtual KITTI 2's centimetres; the sky is unknown depth.

    Raises:
        InputError: The file is not a 16-bit PNG, or is over the limits.
    """
    codes = read_codes(path, limits)
    metres = (codes / VKITTI2_UNITS_PER_M).astype(np.float32)
    return _known(metres, "metric").without(codes == VKITTI2_SKY, "as sky")


def _known(values: NDArray[np.float32], kind: Kind) -> TrueDepth:
    return TrueDepth(values, np.ones(values.shape, np.bool_), kind)


_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


def _to_metres(values: NDArray[Any], kind: Kind, units_per_m: float, name: str) -> TrueDepth:
    """Return the values of a file as depth; whole numbers have a unit and a full scale."""
    whole = values.dtype.kind in "ui"
    if values.dtype.kind not in "uif" or (whole and values.dtype.itemsize * 8 < _LEAST_BITS):
        raise InputError(
            f"{name} holds {values.dtype}, which is a mask or a picture, expected depth: floats, or whole numbers of "
            f"{_LEAST_BITS} bits or more"
        )
    if values.ndim != 2:
        raise InputError(f"{name} holds {values.shape}, expected one map (H, W); write the depth alone")
    with np.errstate(over="ignore", invalid="ignore"):  # too large becomes infinite, which is unknown
        metres = np.empty(values.shape, np.float32)
        np.divide(values, np.float64(units_per_m if whole else 1), out=metres, casting="unsafe")
    truth = _known(metres, kind)
    if not whole:
        return truth
    full = np.iinfo(values.dtype).max
    return truth.without(values == full, f"at the full scale of {full}")


def _words_of(path: Path) -> set[str]:
    """Return the words of a file's name and of its folder's."""
    return set(re.findall("[a-z]+", f"{path.parent.name} {path.stem}".lower()))
