"""How much of the depth that a picture shows leaks into the depth of the plane that it hangs on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ....bench.accuracy.alignment import NEAREST_M, Float64
from ....engine.images.resize.bilinear import resize_bilinear
from ....engine.terms import MEANINGS, Kind
from .flat_parts import off_plane
from .parts import Part

LEAST_SIDE_PX = 16  # of the picture that is shown to the model by itself
MOST_ASPECT = 4  # of its longer side to its shorter; models refuse long strips, and nobody paints them
FLAT = 1e-5  # residual over mean value; float32 planes have 1e-7
_CELLS = 64  # along the longer side of a part, when the largest rectangle in it is looked for

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # of a model for an image (H, W, 3), (H, W)


def picture_leak(
    values: NDArray[np.float32], image: NDArray[np.uint8], part: Part, kind: Kind, answer: Answer
) -> float | None:
    """Return the correlation of a model's depth inside a part with its depth of the shown picture by itself.

    The picture by itself is the largest upright rectangle that lies inside the part, cut out of the image: no frame and
    no wall show that it hangs somewhere. Both depths are inverse depth without their best plane, because every plane
    in space has one. 0 is no leak; 1 is an answer as if nothing but the picture existed.

    Args:
        values: (H, W), the model's answer for the whole image, in the size of the depth that it is judged by.
        image: uint8, BGR, of any size.
        part: A mirror or a picture.
        kind: Of the answers.
        answer: Runs the model.

    Returns:
        None if the rectangle is small, or the model finds the picture by itself flat.
    """
    top, left, height, width = largest_rectangle(part)
    if min(height, width) < LEAST_SIDE_PX:
        return None
    place = (slice(top, top + height), slice(left, left + width))
    within = _without_plane(values[place], kind)
    if within is None:
        return 0.0
    picture = _cut(image, (top, left, height, width), (values.shape[0], values.shape[1]))
    alone = _without_plane(resize_bilinear(answer(picture), (height, width), mode="bilinear_corners"), kind)
    return None if alone is None else float(np.corrcoef(within, alone)[0, 1])


def largest_rectangle(part: Part) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of the largest upright rectangle inside a part, up to the size of a cell.

    The middle of it if it is longer than MOST_ASPECT.
    """
    top, left, height, width = part.box
    cell = max(1, -(-max(height, width) // _CELLS))
    rows, columns = height // cell, width // cell
    inside = part.mask[top : top + rows * cell, left : left + columns * cell]
    cells = np.asarray(inside.reshape(rows, cell, columns, cell).all((1, 3)))
    best, area = (0, 0, 0, 0), 0
    above = np.zeros(columns, np.intp)
    for row in range(rows):
        above = np.where(cells[row], above + 1, 0)
        for tall in np.unique(above)[::-1]:
            if tall * columns <= area:
                break  # as do all lower ones
            first, count = _longest_run(above >= tall)
            if tall * count > area:
                area = int(tall * count)
                best = (row - int(tall) + 1, first, int(tall), count)
    down, tall = _middle(top + best[0] * cell, best[2] * cell, best[3] * cell)
    across, wide = _middle(left + best[1] * cell, best[3] * cell, best[2] * cell)
    return down, across, tall, wide


def _middle(start: int, length: int, other: int) -> tuple[int, int]:
    """Return (start, length) of the middle of a side that is at most MOST_ASPECT times as long as the other side."""
    kept = min(length, MOST_ASPECT * other)
    return start + (length - kept) // 2, kept


def _cut(image: NDArray[np.uint8], box: tuple[int, int, int, int], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a box of a map of a size, cut out of an image that shows the same in another size."""
    down, across = image.shape[0] / size_px[0], image.shape[1] / size_px[1]
    top, left, height, width = box
    rows = slice(round(top * down), max(round((top + height) * down), round(top * down) + 1))
    columns = slice(round(left * across), max(round((left + width) * across), round(left * across) + 1))
    return np.ascontiguousarray(image[rows, columns])


def _longest_run(wanted: NDArray[np.bool_]) -> tuple[int, int]:
    """Return (first, count) of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    return int(starts[longest]), int(lengths[longest])


def _without_plane(values: NDArray[np.float32], kind: Kind) -> Float64 | None:
    """Return (n,) values of a kind without their best plane, as inverse depth where the kind has one; None if flat."""
    found = np.nan_to_num(values.astype(np.float64))
    if MEANINGS[kind].positive:
        found = 1 / np.maximum(found, NEAREST_M)
    residual = off_plane(found, np.ones(found.shape, np.bool_))
    flat = float(np.sqrt(np.mean(residual**2))) <= FLAT * float(np.mean(np.abs(found)))
    return None if flat else residual
