"""The figures of one answer: whole images as in the benchmark, regions by an alignment that they have no part in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged_rooms import CAP_M, MIRROR, SIZE_PX, brightness, room_inverse, room_sample, room_view, rooms
from numpy.typing import NDArray

from depthrt.bench.accuracy.accuracy_meter import AccuracyMeter, Rules
from depthrt.bench.numbers.evaluation import EVALUATED
from depthrt.bench.numbers.result import METRICS
from depthrt.engine.terms import Kind
from depthrt.finetune.evaluation.figures.drift import start_of
from depthrt.finetune.evaluation.figures.judge_answer import Judged, judge_answer, place_answer
from depthrt.finetune.evaluation.figures.scene_view import SceneView, view_scene

FLOAT32 = 1e-5  # relative; answers are float32, and metrics are ratios of them
SHIFTED = 2e-4  # a shift of many times the values leaves float32 fewer digits of them
RELATIVE, METRES = Rules("scale-and-shift", CAP_M), Rules("none", CAP_M)


def judged(values: NDArray[np.floating], kind: Kind, *, view: SceneView | None = None, drift: bool = False) -> Judged:
    scene = view or room_view()
    meter = AccuracyMeter("rooms", METRES if kind == "metric" else RELATIVE)
    start = start_of(room_inverse(), "inverse", scene) if drift else None
    given = values.astype(np.float32)
    return judge_answer(given, kind, scene, meter, scene_name="a", answer=brightness, start=start)


def test_the_truth_is_without_error_everywhere() -> None:
    found = judged(room_inverse(), "inverse", drift=True).image.figures
    assert set(found) == set(EVALUATED) - {f"clean_images.{metric}" for metric in METRICS}
    for name, value in found.items():
        perfect = 1 if EVALUATED[name].larger_is_better else 0
        assert value == pytest.approx(perfect, abs=FLOAT32), name


def test_whole_images_are_judged_as_the_benchmark_judges_them() -> None:
    sample, answer = room_sample(), room_inverse() ** 1.3
    meter = AccuracyMeter("rooms", RELATIVE)
    expected = meter.add("room", answer.astype(np.float32), sample.truth, kind="inverse")
    found = judged(answer, "inverse").image.figures
    assert expected is not None and {name: found[name] for name in METRICS} == expected.metrics


def test_a_wrong_mirror_costs_the_clean_pixels_nothing() -> None:
    wrong = room_inverse()
    wrong[MIRROR] = 1 / 8
    found = judged(wrong, "inverse").image.figures
    assert found["clean.abs_rel"] < FLOAT32 and found["art.abs_rel"] < FLOAT32
    assert found["mirror.abs_rel"] == pytest.approx(8 / 3 - 1, rel=1e-3)
    assert found["abs_rel"] > 0.1  # aligned by all pixels, as everybody does
    assert found["mirror.plane_error"] > 0.5 and found["art.plane_error"] < FLOAT32
    assert found["plane_error"] == pytest.approx((found["mirror.plane_error"] + found["art.plane_error"]) / 2)


@pytest.mark.parametrize(("scale", "shift"), [(7.0, 0.0), (0.2, 3.0), (1.0, -2.0)])
def test_figures_do_not_depend_on_an_unknown_scale_and_shift(scale: float, shift: float) -> None:
    bent = room_inverse()
    bent[MIRROR] *= np.linspace(0.7, 1.2, 40) ** 2
    expected, found = judged(bent, "inverse"), judged(scale * bent + shift, "inverse")
    assert found.image.figures == pytest.approx(expected.image.figures, rel=1e-3, abs=SHIFTED)


def test_metres_in_another_scale_are_as_flat_but_not_as_accurate() -> None:
    bent = room_inverse()
    bent[MIRROR] *= np.linspace(0.7, 1.2, 40) ** 2
    right, large = judged(1 / bent, "metric").image.figures, judged(1.5 / bent, "metric").image.figures
    for name in ("flat_residual", "plane_error", "step_error", "picture_leak", "window_depth"):
        assert large[name] == pytest.approx(right[name], rel=1e-3), name
    assert large["clean.abs_rel"] == pytest.approx(0.5, rel=1e-3) and right["clean.abs_rel"] < FLOAT32


def test_each_part_has_its_own_figures() -> None:
    parts = judged(room_inverse(), "inverse").parts
    assert [part.region for part in parts] == ["mirror", "art", "window"]
    assert (parts[0].top_px, parts[0].left_px, parts[0].height_px, parts[0].width_px) == (20, 12, 30, 40)
    assert set(parts[2].figures) == {"window_depth"} and "flat_residual" in parts[0].figures


def test_an_image_without_mirrors_and_art_is_a_clean_image() -> None:
    plain = view_scene(replace(room_sample(), regions=np.zeros(SIZE_PX, np.uint8)), RELATIVE)
    found = judged(room_inverse() ** 1.3, "inverse", view=plain).image.figures
    assert found["clean_images.abs_rel"] == found["abs_rel"] and "flat_residual" not in found


def test_an_image_that_is_mirror_alone_has_whole_figures_only() -> None:
    covered = view_scene(replace(room_sample(), regions=np.ones(SIZE_PX, np.uint8)), RELATIVE)
    assert set(judged(room_inverse(), "inverse", view=covered).image.figures) == set(METRICS)


def test_a_missing_answer_is_no_flat_answer() -> None:
    holed = room_inverse()
    holed[30, 30] = np.nan
    assert judged(holed, "inverse").image.figures["mirror.flat_residual"] > 1


def test_answers_of_another_size_are_brought_to_the_depth_s() -> None:
    small = rooms(1).pairs[0].read()
    view = view_scene(small, RELATIVE)
    placed = place_answer(np.full((12, 16), 0.5, np.float32), "inverse", view, RELATIVE)
    assert placed.values.shape == placed.inverse.shape == SIZE_PX
