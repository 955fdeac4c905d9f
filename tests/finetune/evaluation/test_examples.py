"""Good and bad examples: which images, and what their pictures show."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from judged_rooms import RULES, room_inverse, room_sample, room_view

from depthrt.bench.numbers.evaluation import ImageFigures, ModelEvaluation
from depthrt.finetune.evaluation.examples import BEST, LARGEST_BYTES, PANEL_H_PX, WORST, choose_examples, draw_example
from depthrt.finetune.evaluation.figures.scene_view import view_scene


def model(name: str, *values: float) -> ModelEvaluation:
    return ModelEvaluation("m", {}, images=tuple(ImageFigures(f"{n}", "", {name: v}) for n, v in enumerate(values)))


def test_the_worst_come_first_and_then_the_best() -> None:
    chosen = choose_examples(model("flat_residual", 0.3, 0.1, 0.9, 0.2, 0.5, 0.4))
    assert [image for image, _ in chosen] == ["2", "4", "5", "1", "3"]
    assert chosen[0][1] == "worst: 2: flat residual 0.900" and chosen[-1][1].startswith("best: 3: ")
    assert len(chosen) == WORST + BEST


def test_a_larger_figure_can_be_the_better_one() -> None:
    chosen = choose_examples(model("window_depth", 0.3, 0.1, 0.9, 0.2, 0.5, 0.4))
    assert chosen[0] == ("1", "worst: 1: window depth 10.0 %") and chosen[3][0] == "2"


@pytest.mark.parametrize(("values", "count"), [((), 0), ((0.1,), 1), ((0.1, 0.2, 0.3, 0.4), 4)])
def test_no_image_is_shown_twice(values: tuple[float, ...], count: int) -> None:
    chosen = choose_examples(model("abs_rel", *values))
    assert len({image for image, _ in chosen}) == len(chosen) == count


def test_a_picture_shows_photograph_truth_and_each_answer_side_by_side() -> None:
    view = room_view()
    picture = draw_example("m", "worst: room", view, [("start", room_inverse()), ("m", 2 * room_inverse())])
    shown = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None and len(picture.jpeg) <= LARGEST_BYTES
    height, width = shown.shape[:2]
    panel = round(128 * PANEL_H_PX / 96)
    assert height > PANEL_H_PX and 4 * panel <= width < 4 * panel + 20
    truth, start = (shown[25:, left : left + panel] for left in (panel + 4, 2 * (panel + 4)))
    assert np.abs(truth.astype(int) - start).mean() < 3  # JPEG
    assert np.abs(truth.astype(int) - shown[25:, -panel:]).mean() > 20


def test_an_image_without_masks_has_a_picture_too() -> None:
    view = view_scene(replace(room_sample(), regions=None), RULES)
    assert draw_example("m", "a", view, []).jpeg
