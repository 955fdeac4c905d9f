"""Batches are timed where the file takes them."""

from __future__ import annotations

from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.bench.load.batches import BATCHES, measure_batches

PHOTO = (PHOTOS / "coffee.jpg").read_bytes()


def test_each_size_is_compared_with_single_images(model: depthrt.DepthModel) -> None:
    costs = measure_batches(model, PHOTO, rounds=1)
    assert [cost.images for cost in costs] == list(BATCHES)
    assert costs[0].against_single == 1 and all(cost.ms_per_image > 0 and cost.cpu_ms_per_image > 0 for cost in costs)


def test_a_file_of_one_image_has_no_figures(tiny_static: TinyModel) -> None:
    with depthrt.load(tiny_static.onnx) as model:
        assert measure_batches(model, PHOTO, rounds=1) == []
