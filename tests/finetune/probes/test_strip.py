"""The picture strip: a row for each picture, a column for each model, near bright on one scale."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from depthrt.bench.numbers.probes import ProbedModel, ProbeReport, Question
from depthrt.finetune.probes.run import Row
from depthrt.finetune.probes.shot import Shot
from depthrt.finetune.probes.strip import CELL_PX, draw_strip, write_strip

TRUE = np.repeat(np.linspace(0.1, 1, 64)[:, None], 96, axis=1)
KNOWN = np.ones(TRUE.shape, np.bool_)
KNOWN[:8] = False
QUESTIONS = (Question("stem", "", "", True), Question("light", "", "", False))


def redness(colours: np.ndarray) -> float:
    """Return red minus blue."""
    return float((colours[:, 2] - colours[:, 0]).mean())


def model(name: str, *, baseline: bool = False, failure: str = "") -> ProbedModel:
    return ProbedModel(name, {}, {}, baseline, failure)


MODELS = (
    model("a" * 80 + ".onnx"),
    model("b\udcff\n.pth"),
    model("broken", failure="x"),
    model("constant", baseline=True),
)


@pytest.fixture
def rows() -> list[Row]:
    image = np.zeros((64, 96, 3), np.uint8)
    shot = Shot((image,), np.where(KNOWN, TRUE, 0), KNOWN, {})
    found = {MODELS[0].name: TRUE, MODELS[1].name: TRUE[::-1], "constant": TRUE}
    return [Row(name, "", image, shot, found, dict.fromkeys(found, 0.5)) for name in ("stem", "light", "light")]


def test_rows_are_pictures_and_columns_image_truth_and_the_models_that_answered(rows: list[Row]) -> None:
    strip = draw_strip(ProbeReport(QUESTIONS, MODELS, {}), rows)
    assert strip.dtype == np.uint8
    assert (strip.shape[0] - 28) // (CELL_PX[0] + 6) == 3
    assert (strip.shape[1] - 156) // (CELL_PX[1] + 6) == 4  # image, true depth, two models


def test_near_is_red_in_the_truth_and_blue_where_an_answer_is_upside_down(rows: list[Row]) -> None:
    strip = draw_strip(ProbeReport(QUESTIONS, MODELS, {}), rows[:1]).astype(int)
    height, width = CELL_PX
    cells = [strip[-height:, -(k + 1) * width - 6 * k :][:, :width] for k in range(3)]
    upside_down, right, truth = ([redness(cell[height // 7]), redness(cell[-40])] for cell in cells)
    assert truth[0] < 0 < truth[1] and right == truth and upside_down[0] > 0 > upside_down[1]
    assert (cells[2][2, 2] == 128).all()  # the sky of the truth


def test_the_file_is_a_png_of_the_strip(rows: list[Row], tmp_path: Path) -> None:
    report = ProbeReport(QUESTIONS, MODELS, {})
    write_strip(tmp_path / "probes.png", report, rows)
    found = cv2.imread(str(tmp_path / "probes.png"))
    assert found is not None and np.array_equal(found, draw_strip(report, rows))
