"""Sky is left out of the depth beside it, and filled with a far value of the rest, the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made import CONTRACT

from depthrt.engine.images.fit import Fit, fit_image
from depthrt.engine.images.preprocess import to_image_size
from depthrt.engine.model.sky import FILL_PERCENTILE, LEAST_PIXELS, depth_and_sky
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule

SKIES = replace(
    CONTRACT,
    kind="scale",
    sky_from=0.3,
    size=SizeRule((56, 56), 14, "longest_nearest"),
    final_resize="bilinear_centres",
)
INPUT_PX, IMAGE_PX = (28, 56), (60, 120)
FIT = Fit(INPUT_PX, INPUT_PX)
SAME = 1e-5


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Return depth that grows downwards from 2 to 4, and sky in its upper 8 rows, where depth is nonsense."""
    values = np.linspace(2, 4, INPUT_PX[0], dtype=np.float32)[:, None] * np.ones((1, INPUT_PX[1]), np.float32)
    sky = np.zeros(INPUT_PX, np.float32)
    sky[:8], values[:8] = 0.5, 900
    return values, sky


def shown(values: np.ndarray, sky: np.ndarray, contract: Contract = SKIES) -> tuple[np.ndarray, np.ndarray]:
    return depth_and_sky(values, sky, contract, FIT, IMAGE_PX)


def test_sky_has_the_percentile_of_all_other_pixels_the_same_twice() -> None:
    values, sky = scene()
    depth, is_sky = shown(values, sky)
    assert is_sky.any() and not is_sky[-1].any()
    assert np.unique(depth[is_sky]) == pytest.approx([np.percentile(values[8:], FILL_PERCENTILE)], rel=1e-6)
    again, is_sky_again = shown(values, sky)
    assert np.array_equal(depth, again) and np.array_equal(is_sky, is_sky_again)


def test_no_pixel_beside_the_sky_has_depth_of_the_sky_in_it() -> None:
    values, sky = scene()
    depth, is_sky = shown(values, sky)
    ground = values[8:]
    assert ground.min() - SAME <= depth[~is_sky].min() and depth[~is_sky].max() <= ground.max() + SAME
    whole = to_image_size(values, SKIES, FIT, IMAGE_PX)
    far_down = slice(30, None)
    assert np.allclose(depth[far_down], whole[far_down], rtol=SAME)


def test_the_value_itself_is_sky_and_anything_below_is_not() -> None:
    values, sky = scene()
    sky[:8] = np.float32(0.3)
    assert shown(values, sky, replace(SKIES, sky_from=float(np.float32(0.3))))[1].any()
    sky[:8] = 0.29
    assert not shown(values, sky)[1].any()


def test_a_few_pixels_are_no_sky_and_a_few_others_are_no_rest() -> None:
    values, sky = scene()
    few = np.zeros_like(sky)
    few.flat[:LEAST_PIXELS] = 1
    depth, is_sky = shown(values, few)
    assert not is_sky.any()
    assert np.array_equal(depth, to_image_size(values, SKIES, FIT, IMAGE_PX))
    depth, is_sky = shown(values, 1 - few)
    assert is_sky.mean() > 0.9
    assert np.array_equal(depth, to_image_size(values, SKIES, FIT, IMAGE_PX))


def test_padding_beside_the_image_does_not_count() -> None:
    contract = replace(SKIES, size=SizeRule((56, 56), 14, "letterbox"))
    fit = fit_image(contract.size, IMAGE_PX)
    assert fit.padded and fit.content_px == INPUT_PX
    values, sky = scene()
    padded, padded_sky = np.full((56, 56), 7000, np.float32), np.ones((56, 56), np.float32)
    top = fit.offset_px[0]
    padded[top : top + 28], padded_sky[top : top + 28] = values, sky
    for found, expected in zip(
        depth_and_sky(padded, padded_sky, contract, fit, IMAGE_PX), shown(values, sky), strict=True
    ):
        assert np.array_equal(found, expected)
