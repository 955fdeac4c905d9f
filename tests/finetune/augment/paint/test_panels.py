"""Panels: where the frame, the picture and the opening are is told by masks, never by colours."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.paint.panels import blank_panel, framed, opening, picture_panel, screen_off
from depthrt.finetune.augment.paint.shapes import SHAPES

SQUARE = SHAPES["rectangle"][1](np.random.default_rng(0))
BLACK = np.zeros((60, 90, 3), np.uint8)


def test_a_black_picture_is_shown_whole() -> None:
    panel = picture_panel(BLACK, SQUARE)
    assert (panel.shown == 255).all() and panel.hole is None


@pytest.mark.parametrize("shape", ["rectangle", "ellipse", "quadrilateral"])
@pytest.mark.parametrize("mat", [0.0, 1.0])
def test_a_frame_runs_around_a_picture(shape: str, mat: float) -> None:
    outline = SHAPES[shape][1](np.random.default_rng(2))
    panel = framed(picture_panel(BLACK + 7, outline), np.random.default_rng(3), mat=mat)
    shown = panel.shown == 255
    assert 0.2 < shown.mean() < 0.9
    assert (panel.colours[shown] == 7).all(), "the picture is untouched"
    assert not shown[0].any() and not shown[:, -1].any()
    assert (panel.colours[30, 0:2] != 7).any() or shape != "rectangle"


def test_a_blank_panel_has_its_aspect() -> None:
    for aspect in (0.4, 1.0, 2.5):
        height, width = blank_panel(aspect, SQUARE).size_px
        assert width / height == pytest.approx(aspect, rel=0.02)


def test_a_screen_that_is_off_is_dark() -> None:
    panel = screen_off(16 / 9, SQUARE, np.random.default_rng(0))
    assert panel.colours.max() < 80 and (panel.shown == 255).all()


@pytest.mark.parametrize("bars", [(0, 0), (2, 1)])
def test_an_opening_has_holes_between_its_bars(bars: tuple[int, int]) -> None:
    panel = opening(1.2, SQUARE, np.random.default_rng(0), bars=bars)
    assert panel.hole is not None and not panel.shown.any()
    row, column = (line == 255 for line in (panel.hole[panel.size_px[0] // 4], panel.hole[:, panel.size_px[1] // 5]))
    assert [int((np.diff(line.astype(int)) == 1).sum()) for line in (row, column)] == [bars[0] + 1, bars[1] + 1]
    assert panel.colours[panel.hole == 255].max() > 0, "no black seam"
