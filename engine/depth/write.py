"""Depth values (H, W) float32, a mask (H, W) bool and facts in, depth files out; read.py reads them.

color   picture of the depth; .png .jpg .jpeg .webp
side    the photograph, 50 px of white, the picture of the depth; same suffixes
png16   16-bit PNG, 0 is invalid; metric: millimetres; others: value = offset + scale * code, both in its text
npy     values, float32, NaN for invalid pixels          pfm, exr, tiff   the same as an image of one channel
npz     the whole record, as arrays: values, valid, kind, unit, max_depth_m (NaN for none), provenance (JSON)
ply     points in space of metric depth, see cloud.py            pcd     the same, organised as the image is
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import InputError
from ..images.limits import check_image
from ..terms import FORMATS, MEANINGS, Format, Kind
from .colour import value_extremes

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "color": (".png", ".jpg", ".jpeg", ".webp"),
    "side": (".png", ".jpg", ".jpeg", ".webp"),
    "png16": (".png",),
    "npy": (".npy",),
    "npz": (".npz",),
    "pfm": (".pfm",),
    "exr": (".exr",),
    "tiff": (".tif", ".tiff"),
    "ply": (".ply",),
    "pcd": (".pcd",),
}
FILE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
GAP_PX = 50  # white between photograph and depth. Source: DepthAnything/Depth-Anything-V2 run.py
MM_PER_M = 1000
MAX_CODE = 65535  # of uint16; code 0 means invalid
TEXT_PREFIX = "depthrt."  # of the keys in a PNG's text
IMAGE_DESCRIPTION = 270  # TIFF tag. Source: TIFF 6.0, section 8
_SHORT_FACTS = ("kind", "unit", "model")  # recorded in .exr and .tiff

Facts = dict[str, str]
Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


def write_file(path: Path, format: Format, values: Float32, valid: Mask, facts: Facts) -> None:
    """Write a file of values: any format but pictures and "png16".

    Args:
        path: The file; half of it may exist if this fails.
        format: "npy", "npz", "pfm", "exr" or "tiff".
        values: (H, W) float32.
        valid: (H, W) bool; other pixels become NaN in formats without a mask.
        facts: "kind", "unit", "model", "max_depth_m" ("nan" for none) and "provenance" (JSON).
    """
    with path.open("wb") as file:
        write_stream(file, format, values, valid, facts)


def write_stream(file: BinaryIO, format: Format, values: Float32, valid: Mask, facts: Facts) -> None:
    """Write to an open binary file what write_file writes to a path."""
    _WRITERS[format](file, values, valid, facts)


def write_png16(target: Path | BinaryIO, codes: NDArray[np.uint16], facts: Facts) -> None:
    """Write codes (H, W) of `to_codes`, with the facts in the text of the PNG, to a path or an open binary file."""
    text = PngInfo()
    for key, value in facts.items():
        text.add_text(TEXT_PREFIX + key, value)
    Image.fromarray(codes).save(target, "PNG", pnginfo=text)


def format_of_suffix(path: str | Path) -> Format:
    """Return the format of a suffix; .png, .jpg, .jpeg and .webp mean "color".

    Raises:
        InputError: No format has this suffix.
    """
    suffix = Path(path).suffix.lower()
    for format, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return format
    known = sorted(FILE_SUFFIXES)
    raise InputError(f"{path}: suffix {suffix!r} found, expected one of {', '.join(known)}")


def side_by_side(image: NDArray[np.uint8] | None, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return photograph, white gap and picture of the depth, side by side.

    Args:
        image: (H, W, 3) uint8, BGR: the photograph.
        picture: (H, W, 3) uint8, BGR: the picture of the depth.

    Returns:
        (H, W + GAP_PX + W, 3) uint8, BGR.

    Raises:
        InputError: The photograph is missing, not an image, or of another size.
    """
    if image is None:
        raise InputError("format side needs the photograph, none found; give image=")
    check_image(image)
    if image.shape != picture.shape:
        found = f"image {image.shape[:2]} and depth {picture.shape[:2]} found (HxW)"
        raise InputError(f"{found}, expected one size; resize one of them")
    gap = np.full((image.shape[0], GAP_PX, 3), 255, np.uint8)
    return np.concatenate([image, gap, picture], axis=1)


def check_suffix(path: str | Path, format: Format) -> None:
    """Raise InputError if the format is unknown, or the suffix belongs to another format."""
    if format not in FORMATS:
        raise InputError(f"format {format!r} found, expected one of {', '.join(FORMATS)}")
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES[format]:
        raise InputError(f"{path}: suffix {suffix!r} found, format {format} expects {' or '.join(SUFFIXES[format])}")


def outside_png16(values: Float32, valid: Mask, kind: Kind, value_range: tuple[float, float] | None = None) -> int:
    """Return the number of valid pixels that a "png16" does not hold.

    Metric depth beyond 65.535 m is 0 in it; depth without a unit is clipped outside value_range.
    """
    if MEANINGS[kind].unit:
        fits = _millimetres(values, valid)[0] > 0
    elif value_range is not None:
        fits = (values >= value_range[0]) & (values <= value_range[1])
    else:
        return 0
    return int(np.count_nonzero(valid & ~fits))


def to_codes(
    values: Float32, valid: Mask, kind: Kind, value_range: tuple[float, float] | None
) -> tuple[NDArray[np.uint16], Facts]:
    """Return the codes (H, W) of a "png16", and the facts to decode them: value = offset + scale * code."""
    return _millimetres(values, valid) if MEANINGS[kind].unit else _scaled(values, valid, value_range)


def _millimetres(values: Float32, valid: Mask) -> tuple[NDArray[np.uint16], Facts]:
    """Return metres as codes; values outside 1..65535 mm become invalid."""
    codes = np.rint(np.where(valid, values, 0) * np.float32(MM_PER_M))
    fits = (codes >= 1) & (codes <= MAX_CODE)
    facts = {"unit": "mm", "scale": repr(1 / MM_PER_M), "offset": "0.0"}
    return np.where(fits, codes, 0).astype(np.uint16), facts


def _scaled(values: Float32, valid: Mask, value_range: tuple[float, float] | None) -> tuple[NDArray[np.uint16], Facts]:
    """Return values spread over 1..65535; clipped to value_range if it is given."""
    lowest, highest = (float(end) for end in value_extremes(values, valid, value_range))
    scale = (highest - lowest) / (MAX_CODE - 1)
    steps = (np.where(valid, values, lowest) - lowest) / (scale or 1.0)
    codes = np.rint(steps).clip(0, MAX_CODE - 1) + 1
    facts = {"unit": "", "scale": repr(scale), "offset": repr(lowest - scale)}
    return np.where(valid, codes, 0).astype(np.uint16), facts


def _values_or_nan(values: Float32, valid: Mask) -> Float32:
    """Return values, with NaN for invalid pixels."""
    return values if valid.all() else np.where(valid, values, np.float32(np.nan))


def _write_npy(file: BinaryIO, values: Float32, valid: Mask, facts: Facts) -> None:
    np.save(file, _values_or_nan(values, valid), allow_pickle=False)


def _write_npz(file: BinaryIO, values: Float32, valid: Mask, facts: Facts) -> None:
    np.savez(
        file,
        values=values,
        valid=valid,
        kind=np.array(facts["kind"]),
        unit=np.array(facts["unit"]),
        max_depth_m=np.array(float(facts["max_depth_m"])),
        provenance=np.array(facts["provenance"]),
    )


def _write_pfm(file: BinaryIO, values: Float32, valid: Mask, facts: Facts) -> None:
    """Write a portable float map: bottom row first; a negative scale means little-endian."""
    height, width = values.shape
    rows = _values_or_nan(values, valid)[::-1].astype("<f4")
    file.write(b"Pf\n%d %d\n-1.0\n" % (width, height) + rows.tobytes())


def _write_exr(file: BinaryIO, values: Float32, valid: Mask, facts: Facts) -> None:
    """Write one float channel Z; kind, unit and model are attributes."""
    import OpenEXR

    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        **{key: facts[key] for key in _SHORT_FACTS},
    }
    channels = {"Z": np.ascontiguousarray(_values_or_nan(values, valid))}
    encoded = io.BytesIO()  # as OpenEXR's errors on a full disk are not OSErrors
    OpenEXR.File(header, channels).write(encoded)
    file.write(encoded.getvalue())


def _write_tiff(file: BinaryIO, values: Float32, valid: Mask, facts: Facts) -> None:
    """Write one float32 channel; kind, unit and model are in the image description, as JSON."""
    about = json.dumps({key: facts[key] for key in _SHORT_FACTS})
    encoded = io.BytesIO()  # as Pillow ignores a full disk here
    Image.fromarray(_values_or_nan(values, valid)).save(encoded, "TIFF", tiffinfo={IMAGE_DESCRIPTION: about})
    file.write(encoded.getvalue())


_WRITERS: dict[Format, Callable[[BinaryIO, Float32, Mask, Facts], None]] = {
    "npy": _write_npy,
    "npz": _write_npz,
    "pfm": _write_pfm,
    "exr": _write_exr,
    "tiff": _write_tiff,
}
