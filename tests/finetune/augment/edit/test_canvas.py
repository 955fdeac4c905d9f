"""A canvas begins without changes, and knows where its image lies on its depth."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.edit.canvas import Canvas
from depthrt.finetune.augment.geometry.rectangles import project


def test_corners_of_the_depth_map_are_corners_of_the_image() -> None:
    canvas = Canvas(np.zeros((96, 256, 3), np.uint8), np.ones((48, 64)), np.zeros((48, 64), np.uint8), np.eye(3))
    assert not canvas.changed.any() and not canvas.erased.any()
    assert canvas.size_px == (48, 64)
    corners = project(canvas.to_image, np.array([[-0.5, -0.5], [63.5, 47.5]]))
    assert corners == pytest.approx(np.array([[-0.5, -0.5], [255.5, 95.5]]))
