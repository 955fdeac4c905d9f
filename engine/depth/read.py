"""Reads depth files of every format that depthrt writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import InputError
from ..terms import KINDS, Kind
from .write import IMAGE_DESCRIPTION, TEXT_PREFIX, Facts

_LARGEST = 1e30  # of the scale and offset of a PNG: times 65535 within float32


def read_npz(path: str | Path) -> tuple[NDArray[Any], NDArray[Any], Facts]:
    """Return the arrays `values` and `valid` of an .npz file of depthrt, and its facts as write_file takes them.

    Raises:
        InputError: The file is missing, or depthrt did not write it.
    """
    try:
        # Opened here, as numpy leaves a file open if it is not a zip.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as found:
            facts = {name: str(found[name].item()) for name in ("kind", "unit", "max_depth_m", "provenance")}
            return found["values"], found["valid"], facts
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected an .npz file; check the path") from error
    except Exception as error:  # numpy, zipfile and its decompressors each have errors
        raise InputError(f"{path} is not a depth file of depthrt ({error}); write one with Depth.save") from error


def _read_npy(path: Path) -> tuple[NDArray[np.generic], Kind]:
    with path.open("rb") as file:  # as numpy leaves a file open that it cannot read
        return np.load(file, allow_pickle=False), "metric"


def _read_npz(path: Path) -> tuple[NDArray[np.generic], Kind]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
        names = list(found)
        if len(names) == 1:
            return found[names[0]], "metric"
    values, valid, facts = read_npz(path)
    return np.where(valid, values, np.float32(np.nan)), read_kind(facts["kind"])


def _read_png(path: Path) -> tuple[NDArray[np.generic], Kind]:
    codes = read_codes(path)
    with Image.open(path) as picture:
        kind, scale, offset = (picture.info.get(TEXT_PREFIX + key) for key in ("kind", "scale", "offset"))
    if kind is None or scale is None or offset is None:
        return codes, "metric"
    step, least = float(scale), float(offset)
    if not (0 <= step < _LARGEST and abs(least) < _LARGEST):  # nan is not
        raise ValueError(f"scale {scale!r:.40} and offset {offset!r:.40} found, expected numbers, the scale 0 or more")
    return np.where(codes > 0, codes * step + least, np.nan), read_kind(kind)


def _read_pfm(path: Path) -> tuple[NDArray[np.generic], Kind]:
    """Read a portable float map of one channel: bottom row first; little-endian if the scale is negative."""
    with path.open("rb") as file:
        magic = file.readline().strip()
        if magic != b"Pf":
            raise ValueError(f"it begins with {magic[:8]!r}, expected b'Pf': one channel")
        width, height = (int(side) for side in file.readline().split())
        order = "<" if float(file.readline()) < 0 else ">"
        values = np.frombuffer(file.read(), f"{order}f4")
    return values.reshape(height, width)[::-1], "metric"


def _read_exr(path: Path) -> tuple[NDArray[np.generic], Kind]:
    import OpenEXR

    with OpenEXR.File(str(path)) as file:
        channels, header = file.channels(), file.header()
        name = "Z" if "Z" in channels else next(iter(channels))
        return np.array(channels[name].pixels), read_kind(header.get("kind", "metric"))


def _read_tiff(path: Path) -> tuple[NDArray[np.generic], Kind]:
    with Image.open(path) as picture:
        values, about = np.asarray(picture), picture.getexif().get(IMAGE_DESCRIPTION, "")
    try:
        found = json.loads(about)
    except ValueError:
        return values, "metric"
    return values, read_kind(found.get("kind", "metric")) if isinstance(found, dict) else "metric"


def read_codes(path: Path) -> NDArray[np.uint16]:
    """Read a PNG with one channel of 16 bits."""
    if not path.is_file():
        raise InputError(f"{path} does not exist, expected a depth file; check the path")
    codes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
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


READERS: dict[str, Callable[[Path], tuple[NDArray[np.generic], Kind]]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".png": _read_png,
    ".pfm": _read_pfm,
    ".exr": _read_exr,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
}
