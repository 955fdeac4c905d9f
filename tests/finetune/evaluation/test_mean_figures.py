"""Figures of images become means and changes, by the images that have them."""

from __future__ import annotations

import pytest

from depthrt.bench.numbers.evaluation import ImageFigures
from depthrt.bench.numbers.image_means import Draws
from depthrt.finetune.evaluation.mean_figures import mean_figures, moved_figures


def images(*values: float | None, name: str = "flat_residual") -> list[ImageFigures]:
    return [ImageFigures(f"{n}", f"{n}", {} if value is None else {name: value}) for n, value in enumerate(values)]


def test_a_mean_is_over_the_images_that_have_the_figure() -> None:
    found = mean_figures(images(0.1, None, 0.3), Draws(["a", "b", "c"]))
    assert set(found) == {"flat_residual"} and found["flat_residual"].value == pytest.approx(0.2)


def test_a_change_is_over_the_images_that_have_it_in_both() -> None:
    moved = moved_figures(images(0.4, 0.2, None), images(0.2, None, 0.1), Draws(["a", "b", "c"]))["flat_residual"]
    assert (moved.before, moved.after) == (0.4, 0.2)
    assert moved.relative is not None and moved.relative.value == pytest.approx(-0.5)
    assert moved_figures(images(0.4), images(None), Draws(["a"])) == {}
