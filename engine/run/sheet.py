"""Photographs and their depth in, one picture of them all out, with their names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..depth.depth import Depth
from ..errors import InputError
from ..images.write import WRITABLE_SUFFIXES, write_image
from .jobs import PLAIN, Job, Style, all_files
from .sources import refuse_to_replace

CELL_H_PX = 240  # height of a photograph on the sheet
ROW_W_PX = 1600  # width of a full row; a wider photograph is reduced further
GAP_PX = 8
LABEL_H_PX = 20  # height of a name
MOST_ROWS = 32  # 16,248 px; the largest WebP has 16,383
_FONT_PX = 14
_WHITE = 255

Picture = NDArray[np.uint8]


class Sheet:
    """Collects photographs with their depth, and becomes one picture.

    Only reduced copies are held. Not for several threads at once.

    Args:
        style: How depth is painted.
    """

    def __init__(self, style: Style = PLAIN) -> None:
        self._style = style
        self._rows: list[list[Picture]] = []
        self.left_out = 0  # images that did not fit into MOST_ROWS

    def add(self, image: NDArray[np.uint8], depth: Depth, name: str) -> None:
        """Add an image, (H, W, 3) uint8 BGR, its depth of the same size, and the name that stands below."""
        picture = _reduced(depth.colorize(colormap=self._style.colormap, value_range=self._style.value_range))
        cell = np.concatenate([_reduced(image), picture, _label(name, picture.shape[1])])
        fits = bool(self._rows) and _width(self._rows[-1]) + GAP_PX + cell.shape[1] <= ROW_W_PX
        if self.left_out or (not fits and len(self._rows) == MOST_ROWS):
            self.left_out += 1
        elif fits:
            self._rows[-1].append(cell)
        else:
            self._rows.append([cell])

    def __len__(self) -> int:
        """Return the number of images on the sheet."""
        return sum(map(len, self._rows))

    def picture(self) -> Picture:
        """Return the sheet, (H, W, 3) uint8 BGR: rows of images in the order in which they were added.

        Raises:
            InputError: The sheet is empty.
        """
        if not self._rows:
            raise InputError("a sheet without images cannot be made; give at least one image that can be read")
        rows = [_joined(row) for row in self._rows]
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, GAP_PX), (0, width - row.shape[1]), (0, 0)), constant_values=_WHITE) for row in rows]
        return np.concatenate(padded)[:-GAP_PX]

    def save(self, path: str | Path) -> None:
        """Write the picture, whole or not at all, in the format of the suffix."""
        write_image(path, self.picture())


def check_sheet(path: Path, jobs: Sequence[Job]) -> None:
    """Raise InputError unless `path` can hold the sheet of these jobs."""
    sources = [job.source for job in jobs]
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: suffix {path.suffix!r} found, a sheet expects one of {', '.join(WRITABLE_SUFFIXES)}")
    if not any(source.kind == "image" for source in sources):
        raise InputError(f"{path} would be a sheet without images; give an image, or leave --sheet out")
    refuse_to_replace([path], sources, by="the sheet", option="--sheet")
    if path.resolve() in {output.resolve() for output in all_files(jobs)}:
        raise InputError(f"{path} would hold both a depth and the sheet; give another place with --sheet")


def _reduced(picture: NDArray[np.uint8]) -> Picture:
    """Return a picture at a height of CELL_H_PX, or lower if it were wider than a row; aspect kept."""
    height, width = picture.shape[:2]
    scale = min(CELL_H_PX / height, ROW_W_PX / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))  # (w, h)
    rule = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=rule).astype(np.uint8, copy=False)


def _label(name: str, width: int) -> Picture:
    """Return a name, black on white, (LABEL_H_PX, width, 3); its middle is left out if it is too long."""
    font = _font()
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    kept = len(text)
    shown = text
    while kept > 1 and font.getlength(shown) > width:
        kept -= 1
        shown = f"{text[: (kept + 1) // 2]}...{text[len(text) - kept // 2 :]}"
    label = Image.new("RGB", (width, LABEL_H_PX), "white")  # (w, h)
    ImageDraw.Draw(label).text((0, LABEL_H_PX // 2), shown, "black", font, anchor="lm")
    return np.asarray(label, np.uint8)


@cache
def _font() -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow; it has Latin letters, others become boxes."""
    font = ImageFont.load_default(_FONT_PX)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as Pillow's wheels have FreeType
    return font


def _width(row: list[Picture]) -> int:
    return sum(len(cell[0]) for cell in row) + GAP_PX * (len(row) - 1)


def _joined(row: list[Picture]) -> Picture:
    gap = np.full((2 * CELL_H_PX + LABEL_H_PX, GAP_PX, 3), _WHITE, np.uint8)
    parts = [part for cell in row for part in (cell, gap)]
    return np.concatenate(parts[:-1], axis=1)
