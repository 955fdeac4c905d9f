"""Region masks: which pixels of a depth map show a mirror, a picture, the view through a window, or the sky.

A mask is an 8-bit PNG of one channel and of its depth's size. Each region is a bit, because regions overlap: sky is
seen through a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engine.depth.read import read_mask
from ...engine.errors import InputError
from ...engine.images.formats.decode import decode
from ...engine.images.formats.png import read_png
from ...engine.images.header import NO_END
from ...engine.system.files import atomic_path, open_file
from .same_view import OtherView

REGIONS = ("mirror", "art", "window", "sky")
FLAT = ("mirror", "art")  # each connected part of them lies in a plane

_BITS = {name: 1 << place for place, name in enumerate(REGIONS)}
_ALL = sum(_BITS.values())
_MEANING = ", ".join(f"{bit} {name}" for name, bit in _BITS.items())

Mask = NDArray[np.uint8]


def read_regions(path: Path, shape: tuple[int, int]) -> Mask:
    """Read a region mask.

    Args:
        path: An 8-bit PNG of one channel.
        shape: (H, W) of its depth; the pixels of a file of another size are not decoded.

    Returns:
        (H, W) uint8; each pixel is the sum of the bits of its regions, 0 outside all of them.

    Raises:
        OtherView: It is of another size.
        InputError: It is missing, damaged, of another type, or holds a bit that stands for no region.
    """
    try:
        with open_file(path, expected="a region mask") as file:
            data = file.read()
        png = read_png(data)  # its chunks, not its pixels
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected a region mask; check the path") from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if png.flaw or png.lacks_end:
        raise _unreadable(path, png.flaw or NO_END)
    if (png.height_px, png.width_px) != shape:
        sizes = f"{png.height_px}x{png.width_px} px, its depth {shape[0]}x{shape[1]}"
        raise OtherView(f"{path} is {sizes} (HxW), expected one size; make the mask for this depth")
    mask = _decoded(data)
    if mask is None or mask.shape != shape or mask.dtype != np.uint8:
        raise _unreadable(path, "no picture" if mask is None else f"{mask.shape} {mask.dtype}")
    if (most := int(mask.max())) > _ALL:
        raise InputError(f"{path} holds {most}, expected sums of {_MEANING}; write one bit for each region")
    return mask.astype(np.uint8, copy=False)


def read_region(path: Path, name: str, shape: tuple[int, int] | None = None) -> Mask:
    """Read a mask of 0 and one other value, which shows a region, as a region mask.

    Args:
        path: A picture with one channel, .npy or .npz.
        name: One of REGIONS.
        shape: (H, W) of its depth, if that is to be checked.

    Raises:
        OtherView: It is of another size.
        InputError: It is missing or damaged, or holds more values.
    """
    try:
        inside = read_mask(path)
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"mask {path} cannot be read ({' '.join(str(error).split())}); write it again") from error
    if shape is not None and inside.shape != shape:
        raise OtherView(f"mask {path} is {inside.shape}, its depth {shape}, expected one shape (H, W)")
    return join_regions({name: inside})


def region(mask: Mask, name: str) -> NDArray[np.bool_]:
    """Return the pixels of a region, (H, W) bool.

    Args:
        mask: As read_regions returns it.
        name: One of REGIONS.

    Raises:
        InputError: The name is no region.
    """
    inside: NDArray[np.bool_] = (mask & _bit(name)) != 0
    return inside


def join_regions(parts: Mapping[str, NDArray[np.bool_]]) -> Mask:
    """Return the mask of regions, (H, W) uint8, from the pixels of each, (H, W) bool, by name.

    Raises:
        InputError: A name is no region.
    """
    bits = [np.where(pixels, np.uint8(_bit(name)), np.uint8(0)) for name, pixels in parts.items()]
    mask: Mask = np.bitwise_or.reduce(bits)
    return mask


def write_regions(path: Path, mask: Mask) -> None:
    """Write a region mask, whole or not at all.

    Raises:
        InputError: It is not (H, W) uint8 of the bits of regions, or the file cannot be written.
    """
    if mask.ndim != 2 or mask.dtype != np.uint8 or not mask.size or int(mask.max()) > _ALL:
        raise InputError(f"{mask.shape} {mask.dtype} found, expected (H, W) uint8, sums of {_MEANING}")
    done, data = cv2.imencode(".png", np.ascontiguousarray(mask))
    assert done
    with atomic_path(path) as unfinished:
        unfinished.write_bytes(data.tobytes())


def _bit(name: str) -> int:
    if name not in _BITS:
        raise InputError(f"region {name!r} found, expected one of {', '.join(REGIONS)}")
    return _BITS[name]


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(f"{path} is no region mask ({found}), expected an 8-bit PNG of one channel; write it again")


def _decoded(data: bytes) -> NDArray[np.generic] | None:
    try:
        return decode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
