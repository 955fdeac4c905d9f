"""Windows stay deep: 1 is as in truth, 0 is closed, below 0 the window comes forward."""

from __future__ import annotations

import numpy as np
import pytest
from judged_rooms import RULES, SIZE_PX, WALL_M, WINDOW, room_inverse, room_sample, room_view

from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.finetune.evaluation.figures.scene_view import view_scene
from depthrt.finetune.evaluation.figures.windows import window_depth

FLOAT32 = 1e-6


@pytest.mark.parametrize(
    ("window_m", "expected"), [(9.0, 1.0), (90.0, 1.0), (WALL_M, 0.0), (4.5, 0.5), (2.25, -0.5), (0.5, -1.0)]
)
def test_the_share_of_a_window_s_depth_that_an_answer_keeps(window_m: float, expected: float) -> None:
    view = room_view()
    answer = room_inverse()
    answer[WINDOW] = 1 / window_m
    assert window_depth(answer, view, view.windows[0]) == pytest.approx(expected, abs=FLOAT32)


def test_a_window_with_something_just_behind_it_tells_nothing() -> None:
    sample = room_sample()
    depth_m = np.where(sample.truth.values == 9, np.float32(3.2), sample.truth.values)
    view = view_scene(type(sample)("a", sample.image, TrueDepth(depth_m, sample.truth.valid), sample.regions), RULES)
    assert window_depth(view.inverse, view, view.windows[0]) is None


def test_a_window_that_fills_the_image_has_no_frame() -> None:
    sample = room_sample()
    everywhere = np.full(SIZE_PX, 4, np.uint8)
    view = view_scene(type(sample)("a", sample.image, sample.truth, everywhere), RULES)
    assert window_depth(view.inverse, view, view.windows[0]) is None
