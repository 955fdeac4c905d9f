"""Many photographs, each above its depth, on one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .colour import Colormap
from .depth import Depth
from .errors import InputError
from .image import WRITABLE_SUFFIXES, write_image
from .sources import Source, refuse_to_replace

CELL_H_PX = 240  # height of a photograph on the sheet
ROW_W_PX = 1600  # a row is not wider, unless one photograph alone is
GAP_PX = 8
LARGEST = 200  # images; what a sheet of more would hold nobody could see
_WHITE = 255

Picture = NDArray[np.uint8]


class Sheet:
    """Collects photographs and depth, and becomes one picture.

    Only reduced copies are held. Not for several threads at once.

    Args:
        colormap, value_range: As in Depth.colorize.
    """

    def __init__(self, *, colormap: Colormap | None = None, value_range: tuple[float, float] | None = None) -> None:
        self._colormap, self._value_range = colormap, value_range
        self._cells: list[Picture] = []
        self.left_out = 0  # images beyond LARGEST

    def add(self, image: NDArray[np.uint8], depth: Depth) -> None:
        """Take up an image (H, W, 3) uint8 BGR and its depth of the same size."""
        if len(self._cells) == LARGEST:
            self.left_out += 1
            return
        picture = depth.colorize(colormap=self._colormap, value_range=self._value_range)
        self._cells.append(np.concatenate([_reduced(image), _reduced(picture)]))

    def __len__(self) -> int:
        """Return the number of images on the sheet."""
        return len(self._cells)

    def picture(self) -> Picture:
        """Return (H, W, 3) uint8 BGR: rows of images in the order they came.

        Raises:
            InputError: There is nothing on the sheet.
        """
        if not self._cells:
            raise InputError("a sheet without images cannot be made; give at least one that can be read")
        rows = [_joined(row) for row in _rows(self._cells)]
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, GAP_PX), (0, width - row.shape[1]), (0, 0)), constant_values=_WHITE) for row in rows]
        return np.concatenate(padded)[:-GAP_PX]

    def save(self, path: str | Path) -> None:
        """Write the picture, whole or not at all; the suffix says how."""
        write_image(path, self.picture())


def check_sheet(path: Path, sources: Sequence[Source], outputs: Iterable[Path]) -> None:
    """Raise InputError where `path` cannot hold a sheet of these sources, beside their outputs."""
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: suffix {path.suffix!r} found, a sheet expects one of {', '.join(WRITABLE_SUFFIXES)}")
    if not any(source.kind == "image" for source in sources):
        raise InputError(f"{path} would be a sheet without images, expected one at least; leave --sheet out for videos")
    refuse_to_replace([path], sources, by="the sheet", option="--sheet")
    if path.resolve() in {output.resolve() for output in outputs}:
        raise InputError(f"{path} would hold both a depth and the sheet; give another place with --sheet")


def _reduced(picture: NDArray[np.uint8]) -> Picture:
    """Return a picture of CELL_H_PX rows, aspect kept."""
    height, width = picture.shape[:2]
    columns = max(1, round(width * CELL_H_PX / height))
    rule = cv2.INTER_AREA if height > CELL_H_PX else cv2.INTER_LINEAR
    return cv2.resize(picture, (columns, CELL_H_PX), interpolation=rule).astype(np.uint8, copy=False)  # (w, h)


def _rows(cells: list[Picture]) -> list[list[Picture]]:
    """Break the cells into rows that are not wider than ROW_W_PX."""
    rows: list[list[Picture]] = []
    used_px = 0
    for cell in cells:
        if rows and used_px + GAP_PX + cell.shape[1] <= ROW_W_PX:
            rows[-1].append(cell)
            used_px += GAP_PX + cell.shape[1]
        else:
            rows.append([cell])
            used_px = cell.shape[1]
    return rows


def _joined(row: list[Picture]) -> Picture:
    gap = np.full((2 * CELL_H_PX, GAP_PX, 3), _WHITE, np.uint8)
    parts = [part for cell in row for part in (cell, gap)]
    return np.concatenate(parts[:-1], axis=1)
