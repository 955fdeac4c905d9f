"""Means over images with intervals: they cover the truth, pairs narrow them, and scenes are drawn whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthrt.bench.numbers.image_means import LEAST_SCENES, Draws
from depthrt.bench.numbers.result import Interval

RUNS = 200
EXPECTED = 0.95
OFF = 0.05  # three standard deviations of a share of 0.95 over RUNS


def width(found: Interval | None) -> float:
    assert found is not None
    return found.high - found.low


@pytest.mark.parametrize("count", [8, 40])
def test_the_interval_covers_the_true_mean_as_often_as_it_says(count: int) -> None:
    draws, random = Draws([str(n) for n in range(count)]), np.random.default_rng(0)
    found = [draws.mean(random.normal(3, 1, count).tolist()) for _ in range(RUNS)]
    covered = np.mean([one is not None and one.low <= 3 <= one.high for one in found])
    assert covered == pytest.approx(EXPECTED, abs=OFF)


def test_a_change_over_the_same_images_is_known_better_than_both_values() -> None:
    random = np.random.default_rng(0)
    before = random.uniform(0.1, 1.0, 50)
    after = 0.4 * before * random.uniform(0.95, 1.05, 50)
    draws = Draws([str(n) for n in range(50)])
    moved = draws.moved(before.tolist(), after.tolist())
    assert moved is not None and moved.relative is not None
    assert moved.relative.value == pytest.approx(after.mean() / before.mean() - 1)
    assert moved.relative.low < -0.6 < moved.relative.high and width(moved.relative) < 0.02
    assert width(moved.absolute) < width(draws.mean(before.tolist()))


def test_images_of_one_scene_are_drawn_together() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 10), 8).tolist()  # 8 frames of each scene, alike
    scenes = [str(n // 8) for n in range(80)]
    by_scene, by_image = Draws(scenes), Draws([str(n) for n in range(80)])
    assert by_scene.by_scene and not by_image.by_scene
    assert width(by_scene.mean(values)) > 2 * width(by_image.mean(values))
    assert not Draws([str(n % (LEAST_SCENES - 1)) for n in range(80)]).by_scene


def test_images_without_the_figure_have_no_weight() -> None:
    draws = Draws(["a", "b", "c"])
    found = draws.mean([1.0, math.nan, 3.0])
    assert found is not None and found.value == 2 and 0 <= found.low < 2 < found.high
    assert draws.mean([math.nan] * 3) is None and draws.moved([math.nan, 1, 1], [1, math.nan, math.nan]) is None


def test_a_single_image_has_no_spread() -> None:
    assert Draws(["a"]).mean([0.5]) == Interval(0.5, 0.5, 0.5)


def test_what_was_0_has_no_relative_change() -> None:
    moved = Draws(["a", "b"]).moved([0.0, 0.0], [0.1, 0.1])
    assert moved is not None and moved.relative is None and moved.absolute.value == pytest.approx(0.1)


def test_a_fall_of_few_images_stays_above_minus_100_percent() -> None:
    draws = Draws(["a", "b", "c"])
    moved = draws.moved([1.0, 0.9, 1.1], [0.02, 0.5, 0.1])
    assert moved is not None and moved.relative is not None and -1 < moved.relative.low < moved.relative.value
    gone = draws.moved([1.0, 0.9, 1.1], [0.0, 0.0, 0.0])
    assert gone is not None and gone.relative == Interval(-1.0, -1.0, -1.0)
    assert gone.absolute.value == pytest.approx(-1.0)
