"""Depth values in, a picture out: values are scaled to a uint8 index into a table of 256 colours."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..terms import COLORMAPS, Colormap

INVALID_BGR = (128, 128, 128)  # no colour of the maps, except of "gray"

_FLOAT32_MAX = float(np.finfo(np.float32).max)

# RGB of the 11-class diverging scheme "Spectral". Source: colorbrewer2.org, C. Brewer, Apache-2.0
_SPECTRAL = (
    (158, 1, 66),
    (213, 62, 79),
    (244, 109, 67),
    (253, 174, 97),
    (254, 224, 139),
    (255, 255, 191),
    (230, 245, 152),
    (171, 221, 164),
    (102, 194, 165),
    (50, 136, 189),
    (94, 79, 162),
)


def colorize(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    larger_is_nearer: bool,
    colormap: Colormap | None = None,
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Paint values; the nearest value gets the map's last colour.

    Source: DepthAnything/Depth-Anything-V2 run.py and metric_depth/run.py, for the scale, the truncation to uint8 and
    the default map.

    Args:
        values: (H, W) float32.
        valid: (H, W) bool; other pixels become INVALID_BGR and do not count for the range.
        larger_is_nearer: Whether the largest value is the nearest.
        colormap: None is "spectral_r".
        value_range: (lowest, highest); values outside are clipped. None takes the extremes of the valid values.

    Returns:
        (H, W, 3) uint8, BGR.
    """
    table = color_table(colormap or "spectral_r", flipped=not larger_is_nearer)
    index = _index(values, valid, value_range)  # (H, W) uint8
    picture = np.asarray(cv2.applyColorMap(index, table[:, None]), np.uint8)  # (H, W, 3)
    if not valid.all():
        picture[~valid] = INVALID_BGR
    return picture


def value_extremes(
    values: NDArray[np.float32], valid: NDArray[np.bool_], value_range: tuple[float, float] | None
) -> tuple[np.float32, np.float32]:
    """Return value_range, checked; if it is None, the extremes of the valid values, (0, 0) without any.

    Raises:
        InputError: value_range is not two finite numbers of float32, the lower first.
    """
    if value_range is None:
        if not valid.any():
            return np.float32(0), np.float32(0)
        inside = values if valid.all() else values[valid]
        return inside.min(), inside.max()
    lowest, highest = value_range
    if not -_FLOAT32_MAX <= lowest < highest <= _FLOAT32_MAX:  # false for NaN and infinity
        raise InputError(f"value_range {value_range} found, expected two finite numbers, the lower first")
    return np.float32(lowest), np.float32(highest)


@cache
def color_table(colormap: Colormap, *, flipped: bool = False) -> NDArray[np.uint8]:
    """Return a map's table, (256, 3) uint8 BGR, read-only; flipped, it starts with the last colour.

    Raises:
        InputError: The map is unknown.
    """
    if colormap not in COLORMAPS:
        raise InputError(f"colormap {colormap!r} found, expected one of {', '.join(COLORMAPS)}")
    ramp = np.arange(256, dtype=np.uint8)[:: -1 if flipped else 1]
    if colormap == "spectral_r":
        table = _spectral(backwards=not flipped)
    elif colormap == "gray":
        table = np.repeat(ramp[:, None], 3, axis=1)
    else:
        known = {"inferno": cv2.COLORMAP_INFERNO, "turbo": cv2.COLORMAP_TURBO}
        table = np.asarray(cv2.applyColorMap(ramp, known[colormap]), np.uint8).reshape(256, 3)
    table.flags.writeable = False  # all callers share the table
    return table


def _index(
    values: NDArray[np.float32], valid: NDArray[np.bool_], value_range: tuple[float, float] | None
) -> NDArray[np.uint8]:
    """Scale values to 0..255 and truncate; 0 for invalid pixels, and for all if the values are equal."""
    lowest, highest = value_extremes(values, valid, value_range)
    if not highest > lowest:
        return np.zeros(values.shape, np.uint8)
    known = values if valid.all() else np.where(valid, values, lowest)
    if value_range is not None:
        known = np.clip(known, lowest, highest)
    scaled = (known - lowest) / (highest - lowest) * np.float32(255)  # the order and float32 are upstream's
    index: NDArray[np.uint8] = scaled.astype(np.uint8)
    return index


def _spectral(*, backwards: bool) -> NDArray[np.uint8]:
    """Interpolate _SPECTRAL linearly to 256 entries and truncate; (256, 3) BGR.

    Source: matplotlib's LinearSegmentedColormap and its reversed(). The arithmetic and its order are the same, so every
    byte is; the two directions differ by one level in a few entries.
    """
    colours = np.array(_SPECTRAL)[:, ::-1] / 255  # RGB to BGR
    stops = np.linspace(0, 1, len(colours))
    if backwards:
        colours, stops = colours[::-1], 1.0 - stops[::-1]
    stops, at = stops * 255, np.linspace(0, 1, 256) * 255
    right = np.searchsorted(stops, at).clip(1, len(stops) - 1)  # (256,)
    share = ((at - stops[right - 1]) / (stops[right] - stops[right - 1]))[:, None]  # (256, 1)
    table = share * (colours[right] - colours[right - 1]) + colours[right - 1]  # (256, 3)
    entries: NDArray[np.uint8] = (table * 255).astype(np.uint8)
    return entries
