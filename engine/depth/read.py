"""Reads depth files of every format that depthrt writes; sizes are checked before values are allocated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError
from ..images.formats.decode import decode
from ..images.formats.tiff import depth_flaw, depth_values
from ..images.formats.tiff_tags import DESCRIPTION, ends_inside, read_pages, size_px, text_of
from ..images.limits import DEFAULT_LIMITS, Limits
from ..system.files import check_plain, open_file
from ..terms import KINDS, Kind
from .arrays import check_values, read_npy_array, read_npz_arrays
from .write import TEXT_PREFIX, Facts

Reading = tuple[NDArray[np.generic], Kind]

_LARGEST = 1e30  # of the scale and offset of a PNG: times 65535 within float32


class Reader(Protocol):
    """Reads the values and the kind of a depth file, up to a size."""

    def __call__(self, path: Path, limits: Limits = ..., /) -> Reading:
        """Return the values, any shape and type, and the kind."""
        ...


_FACTS = ("kind", "unit", "max_depth_m", "provenance")  # beside `values` and `valid` in an .npz file of depthrt
_RECORD = ("values", "valid", *_FACTS)
# Arrays of .npz files of other programs, by name.
_DEPTHS = ("depth", "depth_m", "depth_map", "depths", "values", "z")
_NO_DEPTH = re.compile("conf|disp|inv|label|mask|normal|seg|valid", re.IGNORECASE)
_MASKS = ("mask", "depth_mask", "valid", "valid_mask", "depth_valid", "mask_valid")
_ORIENTATION = 274  # EXIF tag; 1 is upright. Source: Exif 2.3, 4.6.4
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = slice(16, 24)  # width and height in the first chunk. Source: PNG specification, 11.2.2


def read_npz(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> tuple[NDArray[Any], NDArray[Any], Facts]:
    """Return the arrays `values` and `valid` of an .npz file of depthrt, and its facts as write_file takes them.

    Raises:
        InputError: The file is missing or over the limit, or depthrt did not write it.
    """
    try:
        found = read_npz_arrays(Path(path), limits, _RECORD)
        return found["values"], found["valid"], {name: str(found[name].item()) for name in _FACTS}
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected an .npz file; check the path") from error
    except InputError:
        raise
    except Exception as error:  # numpy, zipfile and its decompressors each have errors
        raise InputError(f"{path} is not a depth file of depthrt ({error}); write one with Depth.save") from error


def read_mask(path: Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.bool_]:
    """Read a mask: .npy, .npz of one array, or a picture with one channel; 0 marks the pixels that do not count.

    Raises:
        InputError: It is over the limit, or holds more than 0 and one other value.
        OSError, ValueError: It is missing or damaged.
    """
    if path.suffix.lower() == ".npy":
        values = read_npy_array(path, limits)
    elif path.suffix.lower() == ".npz":
        values = _only(read_npz_arrays(path, limits), str(path))
    else:
        values = _read_picture(path, limits)
    return to_mask(values, str(path))


def to_mask(values: NDArray[Any], name: str) -> NDArray[np.bool_]:
    """Return an array of 0 and one other value as (H, W) bool; 0 marks the pixels that do not count."""
    values = to_map(values)
    mask: NDArray[np.bool_] = values != 0
    marks = values[mask]
    if marks.size and not marks.min() == marks.max():  # NaN is no mark either
        raise InputError(
            f"mask {name} holds values from {values.min():g} to {values.max():g}, expected 0 and one other value, "
            "which marks the pixels that count; write it as 0 and 1"
        )
    return mask


def to_map(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of one map as (H, W), without further axes of length 1; other arrays as they are."""
    extra = values.ndim - 2
    axes = [axis for axis in (*range(values.ndim - 1, 1, -1), 0, 1) if axis < values.ndim and values.shape[axis] == 1]
    return values.squeeze(tuple(axes[:extra])) if extra > 0 else values


def _read_picture(path: Path, limits: Limits) -> NDArray[Any]:
    with open_file(path) as file, Image.open(file) as picture:
        check_values((picture.height, picture.width), str(path), limits)
        return np.asarray(picture.convert("L") if picture.mode == "P" else picture)


def _only(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if len(arrays) != 1:
        raise InputError(f"{name} holds {', '.join(arrays) or 'nothing'}, expected one array")
    return next(iter(arrays.values()))


def _read_npy(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    return read_npy_array(path, limits), "metric"


def _read_npz(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    found = read_npz_arrays(path, limits)
    if found.keys() >= {*_RECORD}:
        return np.where(found["valid"], found["values"], np.float32(np.nan)), read_kind(str(found["kind"].item()))
    return _foreign_depth(found, str(path)), "metric"


def _foreign_depth(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    """Return the depth among the arrays of another program's .npz file, 0 where a mask in it says so.

    Raises:
        InputError: It is unclear which array is depth, or which pixels of it count.
    """
    depths = [key for key in arrays if key.lower() in _DEPTHS or (len(arrays) == 1 and not _NO_DEPTH.search(key))]
    if len(depths) != 1:
        raise InputError(f"{name} holds {_listed(arrays)}, expected one array named depth; write the depth alone")
    depth = to_map(arrays[depths[0]])
    others = [key for key in arrays if key not in depths and to_map(arrays[key]).shape == depth.shape]
    if not others:
        return depth
    if len(others) > 1 or others[0].lower() not in _MASKS:
        raise InputError(f"{name} holds {_listed(arrays)}, expected depth and at most one mask; write the depth alone")
    counts = to_mask(arrays[others[0]], f"{others[0]} in {name}")
    return np.where(counts, depth, depth.dtype.type(0))


def _listed(arrays: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(f"{key} {array.shape}" for key, array in arrays.items()) or "nothing"


def _read_png(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    codes = read_codes(path, limits)
    with open_file(path) as file, Image.open(file) as picture:
        if "exif" in picture.info and picture.getexif().get(_ORIENTATION, 1) != 1:
            raise InputError(f"{path} is turned by its EXIF orientation, expected depth without it; turn the values")
        kind, scale, offset = (picture.info.get(TEXT_PREFIX + key) for key in ("kind", "scale", "offset"))
    if kind is None or scale is None or offset is None:
        return codes, "metric"
    step, least = float(scale), float(offset)
    if not (0 <= step < _LARGEST and abs(least) < _LARGEST):  # nan is not
        raise ValueError(f"scale {scale!r:.40} and offset {offset!r:.40} found, expected numbers, the scale 0 or more")
    return np.where(codes > 0, codes * step + least, np.nan), read_kind(kind)


def _read_pfm(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Read a portable float map of one channel: bottom row first; little-endian if the scale is negative."""
    with open_file(path) as file:
        magic = file.readline().strip()
        if magic != b"Pf":
            raise ValueError(f"it begins with {magic[:8]!r}, expected b'Pf': one channel")
        width, height = (int(side) for side in file.readline().split())
        if min(width, height) < 1:
            raise ValueError(f"its size is {height}x{width}, expected at least 1x1")
        check_values((height, width), str(path), limits)
        order = "<" if float(file.readline()) < 0 else ">"
        values = np.frombuffer(file.read(4 * height * width + 1), f"{order}f4")  # a byte more shows a wrong size
    return values.reshape(height, width)[::-1], "metric"


def _read_exr(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Read the channel Z, or the only channel."""
    import OpenEXR

    check_plain(path)
    with OpenEXR.File(str(path), header_only=True) as file:  # its records end with it
        header, parts = file.header(), len(file.parts)
        names, kind = [channel.name for channel in header["channels"]], header.get("kind", "metric")
        low, high = header["dataWindow"]  # (x, y), both included
        height, width = (int(high[axis]) - int(low[axis]) + 1 for axis in (1, 0))
    name = "Z" if "Z" in names else names[0]
    if parts != 1 or (name != "Z" and len(names) != 1):
        raise InputError(
            f"{path} has {parts} part(s) with the channels {', '.join(names)}, expected a channel Z, or one channel; "
            "write the depth alone"
        )
    check_values((height, width, len(names)), str(path), limits)  # every channel is decoded
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return np.array(file.channels()[name].pixels), read_kind(kind)


def _read_tiff(path: Path, limits: Limits = DEFAULT_LIMITS) -> Reading:
    with open_file(path) as file:
        data = file.read()
    page, *further = read_pages(data)
    if flaw := depth_flaw([page, *further]):
        raise ValueError(flaw)
    if not ends_inside(page.tags, len(data)):
        raise ValueError("it is cut short")
    check_values(size_px(page.tags), str(path), limits)
    # Not Pillow, which loses the byte order of compressed values.
    decoded = decode(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    if decoded is None:
        raise ValueError("its pixels cannot be decoded")
    values = depth_values(page, decoded)
    try:
        found = json.loads(text_of(page.tags, DESCRIPTION).strip(b"\0"))
    except ValueError:
        return values, "metric"
    return values, read_kind(found.get("kind", "metric")) if isinstance(found, dict) else "metric"


def read_codes(path: Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint16]:
    """Read a PNG with one channel of 16 bits."""
    try:
        with open_file(path, expected="a depth file") as file:
            head = file.read(_PNG_SIZE.stop)
            width, height = (int.from_bytes(head[_PNG_SIZE][at : at + 4], "big") for at in (0, 4))
            check_values((height, width), str(path), limits)
            data = head + file.read() if head.startswith(_PNG) else b""
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected a depth file; check the path") from error
    codes = decode(data, cv2.IMREAD_UNCHANGED) if data else None
    if codes is None or codes.ndim != 2 or codes.dtype != np.uint16:
        found = "no picture" if codes is None else f"{codes.shape} {codes.dtype}"
        raise InputError(f"{path}: {found} found, expected depth in one channel of 16 bits; check the path")
    return codes.astype(np.uint16, copy=False)


def read_kind(text: object) -> Kind:
    """Return the kind that a file names, or raise ValueError."""
    for kind in KINDS:
        if text == kind:
            return kind
    raise ValueError(f"kind {text!r} found, expected one of {', '.join(KINDS)}")


READERS: dict[str, Reader] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".png": _read_png,
    ".pfm": _read_pfm,
    ".exr": _read_exr,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
}
