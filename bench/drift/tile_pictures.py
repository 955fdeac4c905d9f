"""Pictures of the tiles of largest drift: photograph, reference, subject and difference in a row."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engine.depth.colour import colorize
from ...engine.depth.depth import Depth
from ...engine.errors import InputError
from ...engine.images.limits import check_image
from ..numbers.result import Drift, Picture, Tile
from ..numbers.wording import share
from .drift_meter import range_of

PANEL_H_PX = 180
PANEL_W_MAX_PX = 260
LARGEST_BYTES = 40_000  # six subjects with six pictures each leave a report under 2 MB
_CONTEXT = 3  # tiles across a picture, the tile in the middle
_GAP_PX = 4
_LABEL_H_PX = 20
_QUALITIES = (90, 80, 70, 60, 50, 40, 30)
_FRAME = (((0, 0, 0), 3), ((255, 255, 255), 1))  # visible on bright and on dark pictures

Colours = NDArray[np.uint8]


def tile_pictures(
    subject: str, drift: Drift, answers: Callable[[str], tuple[NDArray[np.uint8], Depth, Depth]]
) -> tuple[Picture, ...]:
    """Return a picture of every tile of a drift, worst first.

    Args:
        subject: Its name.
        drift: Of the subject.
        answers: Takes an image's name; returns the image (H, W, 3) uint8 BGR, the reference's depth and the subject's.
            Called once for each image; the answer is dropped before the next call.
    """
    pictures: dict[Tile, bytes] = {}
    for name in dict.fromkeys(tile.image for tile in drift.tiles):
        given = answers(name)
        pictures |= {tile: tile_picture(tile, *given) for tile in drift.tiles if tile.image == name}
    return tuple(Picture(subject, _title(tile), pictures[tile]) for tile in drift.tiles)


def tile_picture(tile: Tile, image: NDArray[np.uint8], reference: Depth, found: Depth) -> bytes:
    """Return a JPEG of at most LARGEST_BYTES: a tile, framed, in its surroundings, four times.

    Args:
        tile: The place.
        image: (H, W, 3) uint8, BGR.
        reference, found: Depth of the image.

    Raises:
        InputError: The sizes or kinds differ, or the tile lies outside.
    """
    check_image(image)
    size_px = (image.shape[0], image.shape[1])
    if not size_px == reference.shape == found.shape or reference.kind != found.kind:
        raise InputError(
            f"image {size_px}, reference {reference.shape} {reference.kind}, subject {found.shape} {found.kind} found, "
            "expected one size and kind"
        )
    if tile.top_px + tile.height_px > size_px[0] or tile.left_px + tile.width_px > size_px[1]:
        raise InputError(f"a tile that ends outside an image of {size_px} px (HxW) found; give its own image")
    view = _view(tile, size_px)
    painted = [_paint(depth, view, _range(reference, view)) for depth in (reference, found)]
    difference, largest = _difference(reference, found, view)
    panels = [
        (np.ascontiguousarray(image[view]), "photograph"),
        (painted[0], "reference"),
        (painted[1], "subject"),
        (difference, f"difference, up to {_amount(largest)}"),
    ]
    return _jpeg(
        np.concatenate([part for panel in panels for part in (_panel(*panel, tile, view), _gap())][:-1], axis=1)
    )


def _view(tile: Tile, size_px: tuple[int, int]) -> tuple[slice, slice]:
    """Return rows and columns of the tile with its surroundings, inside the image."""
    found = []
    for first, length, side in zip((tile.top_px, tile.left_px), (tile.height_px, tile.width_px), size_px, strict=True):
        wanted = min(side, _CONTEXT * max(tile.height_px, tile.width_px))
        start = min(max(0, first + length // 2 - wanted // 2), side - wanted)
        found.append(slice(start, start + wanted))
    return found[0], found[1]


def _range(reference: Depth, view: tuple[slice, slice]) -> tuple[float, float] | None:
    """Return the reference's extremes in the view, the scale of both depths; None if it is flat."""
    values = reference.values[view]
    known = values[np.isfinite(values)]
    if not known.size or not known.max() > known.min():
        return None
    return float(known.min()), float(known.max())


def _paint(depth: Depth, view: tuple[slice, slice], value_range: tuple[float, float] | None) -> Colours:
    values = depth.values[view]
    return colorize(values, np.isfinite(values), larger_is_nearer=depth.larger_is_nearer, value_range=value_range)


def _difference(reference: Depth, found: Depth, view: tuple[slice, slice]) -> tuple[Colours, float]:
    """Return |found - reference| painted from 0 to its largest value, and that value over the reference's range."""
    low, high = range_of(reference.values)
    with np.errstate(invalid="ignore"):
        amount = np.abs(found.values[view] - reference.values[view])
    finite = np.isfinite(amount)
    largest = float(amount[finite].max()) if finite.any() else 0.0
    value_range = (0.0, largest) if largest > 0 else None
    picture = colorize(amount, finite, larger_is_nearer=True, colormap="inferno", value_range=value_range)
    if not finite.all():
        return picture, float("inf")
    return picture, largest / (high - low) if high > low else float(largest and np.inf)


def _panel(picture: Colours, label: str, tile: Tile, view: tuple[slice, slice]) -> Colours:
    """Return a picture at the panels' size, the tile framed and the label above."""
    height, width = picture.shape[:2]
    scale = min(PANEL_H_PX / height, PANEL_W_MAX_PX / width)
    sides = (max(1, round(width * scale)), PANEL_H_PX)  # (w, h) for OpenCV
    rule = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    panel = np.asarray(cv2.resize(picture, sides, interpolation=rule), np.uint8)
    top, left = (tile.top_px - view[0].start) * scale, (tile.left_px - view[1].start) * scale
    bottom, right = top + tile.height_px * scale, left + tile.width_px * scale
    for color, thickness_px in _FRAME:
        cv2.rectangle(panel, (round(left), round(top)), (round(right), round(bottom)), color, thickness_px)
    strip = np.full((_LABEL_H_PX, panel.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, label, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([strip, panel])


def _gap() -> Colours:
    return np.full((_LABEL_H_PX + PANEL_H_PX, _GAP_PX, 3), 255, np.uint8)


def _jpeg(picture: Colours) -> bytes:
    for quality in _QUALITIES:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        if len(data) <= LARGEST_BYTES:
            return data.tobytes()
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # noise, which JPEG cannot compress
    return _jpeg(np.asarray(half, np.uint8))


def _title(tile: Tile) -> str:
    return f"{tile.image}: {_amount(tile.drift)} off at {tile.left_px}, {tile.top_px} px"


def _amount(drift: float) -> str:
    return share(drift) if np.isfinite(drift) else "infinitely far"
