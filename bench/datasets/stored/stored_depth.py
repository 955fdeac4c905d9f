"""A depth file as it is stored: some pixels get other depth, the others keep their bits, and the file its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from ....engine.depth.arrays import read_npy_array, read_npz_arrays
from ....engine.depth.read import READERS, read_codes, to_map
from ....engine.depth.write import TEXT_PREFIX, Facts, format_of_suffix, write_file, write_png16
from ....engine.errors import InputError
from ....engine.images.limits import DEFAULT_LIMITS, Limits
from ....engine.system.files import atomic_path, open_file
from ....engine.terms import MEANINGS, Kind
from ..hdf5 import import_h5py
from ..pairs.scenes import Layout
from ..true_depth import VKITTI2_SKY, VKITTI2_UNITS_PER_M, TrueDepth, read_hypersim_distance

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Raw = NDArray[Any]  # (h, w), of the file's type

_MASK_ARRAYS = ("mask", "depth_mask", "valid", "valid_mask", "depth_valid", "mask_valid")  # of .npz files
_NPZ_DEPTHS = ("depth", "depth_m", "depth_map", "depths", "values", "z")


@dataclass(frozen=True, slots=True, eq=False)
class StoredDepth:
    """The values of a depth file, and how depth becomes such values.

    Args:
        raw: (h, w), of the file's type.
        suffix: Of the file's format.
        factor: Value of the file per unit of depth, a number or (h, w); for whole numbers the result is rounded.
        offset: Depth of the value 0.
        unknown: Value that stands for unknown depth.
        sky: Value that stands for the sky; None without one.
        save: Writes values, of which those of a mask are known and those of another are not, to a path.
    """

    raw: Raw
    suffix: str
    factor: float | Float64
    offset: float
    unknown: float
    sky: int | None
    save: Callable[[Path, Raw, Mask, Mask], None]

    def edited(self, depth: Float64, changed: Mask, erased: Mask) -> Raw:
        """Return the values with other depth in some pixels.

        Args:
            depth: (h, w), in the unit and of the kind of the file; read in changed pixels only. Infinite is sky.
            changed: (h, w), pixels that get `depth`.
            erased: (h, w), pixels whose depth becomes unknown.
        """
        raw = self.raw.copy()
        raw[changed] = self._coded(depth[changed], changed)
        raw[erased] = self.unknown
        return raw

    def write(self, path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
        """Write values of `edited` as a file of this format, whole or not at all.

        Raises:
            InputError: It cannot be written.
        """
        try:
            with atomic_path(path) as unfinished:
                self.save(unfinished, raw, changed, erased)
        except RuntimeError as error:  # h5py raises it for a full disk
            raise InputError(f"{path} cannot be written ({error}); check the disk and its rights") from error

    def _coded(self, depth: Float64, pixels: Mask) -> NDArray[Any]:
        factor = self.factor[pixels] if isinstance(self.factor, np.ndarray) else self.factor
        values = (depth - self.offset) * factor
        if self.raw.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return np.where(np.isfinite(depth), values, self.unknown).astype(self.raw.dtype)
        top = int(np.iinfo(self.raw.dtype).max) - 1  # the largest is the sky or unknown
        fits = np.isfinite(values) & (np.rint(values) <= top)
        beyond = self.unknown if self.sky is None else self.sky
        return np.where(fits, np.clip(np.rint(np.where(fits, values, 1)), 1, top), beyond).astype(self.raw.dtype)


def read_stored(
    path: Path, layout: Layout, *, units_per_m: float, planar_share: Float64 | None, limits: Limits = DEFAULT_LIMITS
) -> StoredDepth:
    """Read a depth file that read_true_depth, read_hypersim or read_vkitti2 reads.

    Args:
        path: The file.
        layout: Of its data set.
        units_per_m: Units a metre of whole numbers of "files" and "kitti".
        planar_share: (h, w), planar depth over distance, of "hypersim".
        limits: Largest depth map.

    Raises:
        InputError: It cannot be read, or its format holds what cannot be written back.
        BackendUnavailable: h5py is missing.
    """
    if layout == "hypersim":
        assert planar_share is not None
        return _hypersim(path, planar_share, limits)
    if layout == "vkitti2":
        codes = read_codes(path, limits)
        return StoredDepth(codes, ".png", VKITTI2_UNITS_PER_M, 0.0, VKITTI2_SKY, VKITTI2_SKY, _save_picture)
    suffix = path.suffix.lower()
    reader = {".npy": _npy, ".npz": _npz, ".png": _png}.get(suffix, _other)
    return reader(path, units_per_m, limits)


def stored_truth(truth: TrueDepth) -> StoredDepth:
    """Return depth that has no file of its own as an .npy file: float32, NaN for unknown."""
    raw = np.where(truth.valid, truth.values, np.float32(np.nan))
    return StoredDepth(raw, ".npy", 1.0, 0.0, np.nan, None, partial(_save_npy, raw.shape))


def _plain(
    raw: Raw, suffix: str, units_per_m: float, save: Callable[[Path, Raw, Mask, Mask], None], unknown: float = np.nan
) -> StoredDepth:
    """Return values in metres if they are floats, in parts of a metre if they are whole."""
    whole = raw.dtype.kind in "ui"
    return StoredDepth(raw, suffix, units_per_m if whole else 1.0, 0.0, 0 if whole else unknown, None, save)


def _hypersim(path: Path, planar_share: Float64, limits: Limits) -> StoredDepth:
    raw = read_hypersim_distance(path, limits)
    return StoredDepth(raw, ".hdf5", 1 / planar_share, 0.0, np.nan, None, _save_hdf5)


def _npy(path: Path, units_per_m: float, limits: Limits) -> StoredDepth:
    raw = read_npy_array(path, limits)
    return _plain(_map(raw, path), ".npy", units_per_m, partial(_save_npy, raw.shape))


def _npz(path: Path, units_per_m: float, limits: Limits) -> StoredDepth:
    arrays = dict(read_npz_arrays(path, limits))
    named = [key for key in arrays if key.lower() in _NPZ_DEPTHS] or (list(arrays) if len(arrays) == 1 else [])
    if len(named) != 1:
        raise InputError(f"{path} holds {', '.join(arrays)}, expected one array named depth; write the depth alone")
    return _plain(_map(arrays[named[0]], path), ".npz", units_per_m, partial(_save_npz, arrays, named[0]))


def _png(path: Path, units_per_m: float, limits: Limits) -> StoredDepth:
    codes = read_codes(path, limits)
    with open_file(path) as file, PngImageFile(file) as picture:
        texts = {str(key): str(value) for key, value in picture.info.items() if isinstance(key, str)}
    facts = {key.removeprefix(TEXT_PREFIX): value for key, value in texts.items() if key.startswith(TEXT_PREFIX)}
    if not {"kind", "scale", "offset"} <= facts.keys():
        return _plain(codes, ".png", units_per_m, _save_picture)
    step, offset = float(facts["scale"]), float(facts["offset"])
    if step <= 0:
        raise InputError(f"{path} holds one depth only (scale {step:g}), which has no room for another; leave it out")
    return StoredDepth(codes, ".png", 1 / step, offset, 0, None, partial(_save_coded_png, facts))


def _other(path: Path, units_per_m: float, limits: Limits) -> StoredDepth:
    """Read .pfm, .exr, .tif and .tiff."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: suffix {path.suffix!r} found, expected one of {' '.join(READERS)}")
    values, kind = reader(path, limits)
    raw = _map(values, path)
    if raw.dtype.kind in "ui":
        return _plain(raw, path.suffix.lower(), units_per_m, _save_picture)
    single = raw.astype(np.float32)  # these formats hold no wider numbers, and the reader makes float32 of them too
    return _plain(single, path.suffix.lower(), units_per_m, partial(_save_floats, kind))


def _map(values: NDArray[Any], path: Path) -> Raw:
    raw = to_map(values)
    if raw.ndim != 2:
        raise InputError(f"{path} holds {values.shape}, expected one map (H, W); write the depth alone")
    return np.ascontiguousarray(raw)


def _save_hdf5(path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    with import_h5py().File(path, "w") as file:
        file.create_dataset("dataset", data=raw)


def _save_picture(path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    done, data = cv2.imencode(path.suffix, raw)
    assert done
    path.write_bytes(data.tobytes())


def _save_coded_png(facts: Facts, path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    write_png16(path, raw, facts)


def _save_npy(shape: tuple[int, ...], path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    with path.open("wb") as file:
        np.save(file, raw.reshape(shape), allow_pickle=False)


def _save_npz(arrays: dict[str, NDArray[Any]], name: str, path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    """Write all arrays of a file, the depth among them, and what its mask says of the edited pixels."""
    written = {**arrays, name: raw.reshape(arrays[name].shape)}
    for key, array in arrays.items():
        if key.lower() in _MASK_ARRAYS and array.size == raw.size:
            mask = array.copy().reshape(raw.shape)
            mask[changed], mask[erased] = array.max() or 1, 0
            written[key] = mask.reshape(array.shape)
    with path.open("wb") as file:
        np.savez(file, **written)  # type: ignore[arg-type]


def _save_floats(kind: Kind, path: Path, raw: Raw, changed: Mask, erased: Mask) -> None:
    facts = {"kind": kind, "unit": MEANINGS[kind].unit, "model": "", "max_depth_m": "nan", "provenance": "{}"}
    write_file(path, format_of_suffix(path), raw, np.ones(raw.shape, np.bool_), facts)
