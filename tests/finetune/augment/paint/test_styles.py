"""Styles keep the size and the order of the colours, and differ from each other."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import draw_room

from depthrt.finetune.augment.paint.styles import STYLES, restyle

IMAGE = draw_room(90, 120, seed=3).image
RED = np.full((60, 80, 3), (20, 30, 220), np.uint8)  # of one colour, which a filter must stand
TONED = ("pencil", "poster")  # have colours of their own


@pytest.mark.parametrize("name", STYLES)
def test_a_style_gives_a_picture_of_the_same_size(name: str) -> None:
    styled = STYLES[name][1](IMAGE, np.random.default_rng(0))
    assert styled.shape == IMAGE.shape and styled.dtype == np.uint8
    assert (styled == STYLES[name][1](IMAGE, np.random.default_rng(0))).all(), "of one seed"
    assert (styled != IMAGE).any()


@pytest.mark.parametrize("name", [name for name in STYLES if name not in TONED])
def test_red_stays_red(name: str) -> None:
    blue, _, red = STYLES[name][1](RED, np.random.default_rng(0)).mean((0, 1))
    assert red > 2 * blue


def test_all_styles_are_drawn() -> None:
    rng = np.random.default_rng(0)
    assert {restyle(IMAGE[:20, :20].copy(), rng)[0] for _ in range(80)} == set(STYLES)
    assert sum(share for share, _ in STYLES.values()) == pytest.approx(1)
