"""Turns Depth into files and an .npz file back into Depth.

color   picture of the depth; .png .jpg .jpeg .webp
side    the photograph, 50 px of white, the picture of the depth; same suffixes
png16   16-bit PNG, 0 is invalid; metric: millimetres; inverse: value = offset + scale * code, both in its text
npy     values, float32, NaN where invalid          pfm, exr, tiff   the same as an image of one channel
npz     everything: values, valid mask, kind, unit, largest depth, provenance
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import InputError
from ..images.limits import check_image
from ..images.write import write_image
from ..system.files import atomic_path
from ..terms import FORMATS, Colormap, Format
from .colour import value_extremes
from .depth import Depth
from .provenance import Provenance

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "color": (".png", ".jpg", ".jpeg", ".webp"),
    "side": (".png", ".jpg", ".jpeg", ".webp"),
    "png16": (".png",),
    "npy": (".npy",),
    "npz": (".npz",),
    "pfm": (".pfm",),
    "exr": (".exr",),
    "tiff": (".tif", ".tiff"),
}
FILE_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
GAP_PX = 50  # white between photograph and depth. Source: DepthAnything/Depth-Anything-V2 run.py
MM_PER_M = 1000
MAX_CODE = 65535  # of uint16; code 0 means invalid
TEXT_PREFIX = "depthrt."  # of the keys in a PNG's text
_IMAGE_DESCRIPTION = 270  # TIFF tag. Source: TIFF 6.0, section 8


def save_depth(
    depth: Depth,
    path: str | Path,
    *,
    format: Format | None = None,
    image: NDArray[np.uint8] | None = None,
    colormap: Colormap | None = None,
    value_range: tuple[float, float] | None = None,
    unit: Literal["m"] | None = None,
) -> None:
    """Write depth to a file, whole or not at all; see Depth.save for the options."""
    if unit not in (None, "m"):
        raise InputError(f"unit {unit!r} found, expected 'm' or None")
    if unit == "m":
        _ = depth.metres  # refuses inverse depth
    format = format or format_of_suffix(path)
    _check_suffix(path, format)
    if format == "color":
        write_image(path, depth.colorize(colormap=colormap, value_range=value_range))
    elif format == "side":
        picture = depth.colorize(colormap=colormap, value_range=value_range)
        write_image(path, side_by_side(image, picture))
    else:
        with atomic_path(path) as temporary:
            if format == "png16":
                _write_png16(depth, temporary, value_range)
            else:
                _WRITERS[format](depth, temporary)


def format_of_suffix(path: str | Path) -> Format:
    """Choose the format by the suffix; .png, .jpg, .jpeg and .webp mean "color".

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
    """Put photograph, white gap and picture of the depth in a row.

    Args:
        image: (H, W, 3) uint8, BGR: the photograph.
        picture: (H, W, 3) uint8, BGR: what Depth.colorize gave.

    Returns:
        (H, W + GAP_PX + W, 3) uint8, BGR.

    Raises:
        InputError: The photograph is missing, no image, or of another size.
    """
    if image is None:
        raise InputError("format side needs the photograph, none found; give image=")
    check_image(image)
    if image.shape != picture.shape:
        found = f"image {image.shape[:2]} and depth {picture.shape[:2]} found (HxW)"
        raise InputError(f"{found}, expected one size; resize one of them")
    gap = np.full((image.shape[0], GAP_PX, 3), 255, np.uint8)
    return np.concatenate([image, gap, picture], axis=1)


def load_npz(path: str | Path) -> Depth:
    """Read an .npz file that save_depth wrote.

    Raises:
        InputError: The file is missing or not one of ours.
    """
    try:
        # numpy leaves a file open that is no zip, so it is opened here.
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as found:
            max_depth = float(found["max_depth_m"])
            return Depth(
                values=found["values"],
                kind=found["kind"].item(),
                valid=found["valid"],
                provenance=Provenance.from_dict(json.loads(found["provenance"].item())),
                max_depth_m=None if np.isnan(max_depth) else max_depth,
            )
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected an .npz file; check the path") from error
    except InputError:
        raise
    except Exception as error:  # numpy, zipfile and what it unpacks with each have their own
        raise InputError(f"{path} is no depth file of depthrt ({error}); write one with Depth.save") from error


def _check_suffix(path: str | Path, format: Format) -> None:
    """Raise InputError where the format is unknown or would hide behind a foreign suffix."""
    if format not in FORMATS:
        raise InputError(f"format {format!r} found, expected one of {', '.join(FORMATS)}")
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES[format]:
        raise InputError(f"{path}: suffix {suffix!r} found, format {format} expects {' or '.join(SUFFIXES[format])}")


def _values_or_nan(depth: Depth) -> NDArray[np.float32]:
    """Return values, with NaN where invalid: what these files have no mask for."""
    return depth.values if depth.valid.all() else np.where(depth.valid, depth.values, np.float32(np.nan))


def _write_png16(depth: Depth, path: Path, value_range: tuple[float, float] | None) -> None:
    codes, facts = _millimetres(depth) if depth.kind == "metric" else _scaled(depth, value_range)
    text = PngInfo()
    facts["outside"] = str(outside_png16(depth, value_range))
    facts = {"kind": depth.kind, "model": depth.provenance.model, **facts, "provenance": _json(depth)}
    for key, value in facts.items():
        text.add_text(TEXT_PREFIX + key, value)
    Image.fromarray(codes).save(path, "PNG", pnginfo=text)


def outside_png16(depth: Depth, value_range: tuple[float, float] | None = None) -> int:
    """Return how many valid pixels a "png16" does not hold: metres beyond 65.535 are 0 there, others are clipped."""
    if depth.kind == "metric":
        fits = _millimetres(depth)[0] > 0
    elif value_range is not None:
        fits = (depth.values >= value_range[0]) & (depth.values <= value_range[1])
    else:
        return 0
    return int(np.count_nonzero(depth.valid & ~fits))


def _millimetres(depth: Depth) -> tuple[NDArray[np.uint16], dict[str, str]]:
    """Turn metres into codes; what 1..65535 mm cannot hold becomes invalid."""
    codes = np.rint(np.where(depth.valid, depth.metres, 0) * np.float32(MM_PER_M))
    fits = (codes >= 1) & (codes <= MAX_CODE)
    facts = {"unit": "mm", "scale": repr(1 / MM_PER_M), "offset": "0.0"}
    return np.where(fits, codes, 0).astype(np.uint16), facts


def _scaled(depth: Depth, value_range: tuple[float, float] | None) -> tuple[NDArray[np.uint16], dict[str, str]]:
    """Spread the values over 1..65535; clipped where value_range is given."""
    lowest, highest = (float(end) for end in value_extremes(depth.values, depth.valid, value_range))
    scale = (highest - lowest) / (MAX_CODE - 1)
    steps = (np.where(depth.valid, depth.values, lowest) - lowest) / (scale or 1.0)
    codes = np.rint(steps).clip(0, MAX_CODE - 1) + 1
    facts = {"unit": "", "scale": repr(scale), "offset": repr(lowest - scale)}
    return np.where(depth.valid, codes, 0).astype(np.uint16), facts


def _write_npy(depth: Depth, path: Path) -> None:
    with path.open("wb") as file:  # to a name that ends in .NPY, numpy appends .npy
        np.save(file, _values_or_nan(depth), allow_pickle=False)


def _write_npz(depth: Depth, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(
            file,
            values=depth.values,
            valid=depth.valid,
            kind=np.array(depth.kind),
            unit=np.array(depth.unit),
            max_depth_m=np.array(np.nan if depth.max_depth_m is None else depth.max_depth_m),
            provenance=np.array(_json(depth)),
        )


def _write_pfm(depth: Depth, path: Path) -> None:
    """Write a portable float map: bottom row first; a negative scale says little-endian."""
    height, width = depth.shape
    rows = _values_or_nan(depth)[::-1].astype("<f4")
    path.write_bytes(b"Pf\n%d %d\n-1.0\n" % (width, height) + rows.tobytes())


def _write_exr(depth: Depth, path: Path) -> None:
    """Write one float channel Z; kind, unit and model are attributes."""
    import OpenEXR

    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "kind": depth.kind,
        "unit": depth.unit,
        "model": depth.provenance.model,
    }
    channels = {"Z": np.ascontiguousarray(_values_or_nan(depth))}
    encoded = io.BytesIO()  # its own errors on a full disk would be of other kinds
    OpenEXR.File(header, channels).write(encoded)
    path.write_bytes(encoded.getvalue())


def _write_tiff(depth: Depth, path: Path) -> None:
    """Write one float32 channel; kind, unit and model stand in the image description, as JSON."""
    about = json.dumps({"kind": depth.kind, "unit": depth.unit, "model": depth.provenance.model})
    encoded = io.BytesIO()  # Pillow does not tell of a full disk here
    Image.fromarray(_values_or_nan(depth)).save(encoded, "TIFF", tiffinfo={_IMAGE_DESCRIPTION: about})
    path.write_bytes(encoded.getvalue())


def _json(depth: Depth) -> str:
    return json.dumps(depth.provenance.to_dict())


_WRITERS: dict[Format, Callable[[Depth, Path], None]] = {
    "npy": _write_npy,
    "npz": _write_npz,
    "pfm": _write_pfm,
    "exr": _write_exr,
    "tiff": _write_tiff,
}
