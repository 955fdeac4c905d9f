"""Draws the picture strip of probes: a row for each, with image, true depth and the answer of each model."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...bench.numbers.probes import ProbeReport, Question
from ...engine.depth.colour import colorize
from ...engine.system.files import atomic_path
from .align import Map
from .run import Row

CELL_PX = (168, 224)  # (h, w)
_HEAD_PX, _SIDE_PX, _GAP_PX = 28, 156, 6
_LETTERS = 24  # of a line beside the pictures
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_STRETCH = 0.6  # power of the share of the range that is painted: distance has more colours
Picture = NDArray[np.uint8]


def draw_strip(report: ProbeReport, rows: Sequence[Row]) -> Picture:
    """Return the strip, (H, W, 3) uint8 BGR; baselines are left out. Near is red, and a row has one scale."""
    models = [model.name for model in report.models if not model.baseline and not model.failure]
    questions = {question.name: question for question in report.probes}
    lines = [_line(["", "image", "true depth", *models])]
    for row in rows:
        cells = [_fitted(row.image), _painted(row.shot.inverse, row, sky=True)]
        cells += [_captioned(_painted(row.found[model], row), f"{row.figures[model]:.2f}") for model in models]
        lines.append(_joined([_side(row, questions[row.probe]), *cells], across=True))
    return _joined(lines, across=False)


def write_strip(path: str | Path, report: ProbeReport, rows: Sequence[Row]) -> None:
    """Write the strip as PNG, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    done, data = cv2.imencode(".png", draw_strip(report, rows))
    assert done
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _painted(inverse: Map, row: Row, *, sky: bool = False) -> Picture:
    """Return inverse depth in colour, from the least to the largest true one of the row."""
    true = row.shot.inverse[row.shot.known]
    share = np.clip((inverse - true.min()) / max(float(np.ptp(true)), 1e-9), 0, 1) ** _STRETCH
    shown = row.shot.known if sky else np.ones_like(row.shot.known)
    return _fitted(colorize(share.astype(np.float32), shown, larger_is_nearer=True, value_range=(0, 1)))


def _fitted(picture: Picture) -> Picture:
    size = (CELL_PX[1], CELL_PX[0])  # (w, h) for OpenCV
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _captioned(picture: Picture, text: str) -> Picture:
    """Return a picture with text on white in its lower left corner."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    picture[-height - 12 :, : width + 12] = 255
    cv2.putText(picture, text, (6, CELL_PX[0] - 6), _FONT, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def _line(texts: Sequence[str]) -> Picture:
    """Return the headings of the columns."""
    widths = [_SIDE_PX, *[CELL_PX[1]] * (len(texts) - 1)]
    return _joined([_blank(_HEAD_PX, wide, [text]) for text, wide in zip(texts, widths, strict=True)], across=True)


def _side(row: Row, question: Question) -> Picture:
    """Return what a row asks for, which picture of its scene it shows, and the direction of its figure."""
    lines = [*textwrap.wrap(question.asks, _LETTERS), row.picture, f"{question.direction} is better"]
    return _blank(CELL_PX[0], _SIDE_PX, [row.probe, *filter(None, lines)])


def _blank(height_px: int, width_px: int, texts: Sequence[str]) -> Picture:
    """Return lines of text on white; letters beyond ASCII become question marks, and long texts are cut."""
    picture = np.full((height_px, width_px, 3), 255, np.uint8)
    for number, text in enumerate(texts):
        shown = text.encode("ascii", "replace").decode()
        while shown and cv2.getTextSize(shown, _FONT, _size(number), 1)[0][0] > width_px - 8:
            shown = shown[:-1]
        cv2.putText(picture, shown, (4, 20 + 20 * number), _FONT, _size(number), (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def _size(number: int) -> float:
    """Return the size of the letters of a line."""
    return 0.55 if number == 0 else 0.4


def _joined(parts: Sequence[Picture], *, across: bool) -> Picture:
    """Return pictures side by side or below each other, with white gaps."""
    axis = 1 if across else 0
    gap_shape = (parts[0].shape[0], _GAP_PX, 3) if across else (_GAP_PX, parts[0].shape[1], 3)
    gap = np.full(gap_shape, 255, np.uint8)
    return np.concatenate([piece for part in parts for piece in (part, gap)][:-1], axis=axis)
