"""Outlines stay in the unit square and fill it."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.paint.shapes import SHAPES, draw_shape


@pytest.mark.parametrize("name", SHAPES)
def test_an_outline_fills_the_unit_square(name: str) -> None:
    for seed in range(10):
        outline = SHAPES[name][1](np.random.default_rng(seed))
        assert outline.min() >= 0 and outline.max() <= 1
        assert (np.ptp(outline, axis=0) > 0.4).all()


def test_every_shape_is_drawn_at_its_share() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_shape(rng)[0] for _ in range(400)]
    for name, (share, _) in SHAPES.items():
        assert drawn.count(name) / 400 == pytest.approx(share, abs=0.08)
    assert sum(share for share, _ in SHAPES.values()) == pytest.approx(1)
