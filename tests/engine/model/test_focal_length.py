"""A focal length makes metres of the depth of a model that needs one, whatever the image's size."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made import CONTRACT
from refusal import refusal

from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.images.fit import fit_image
from depthrt.engine.model.focal_length import ANY_LENS, Lens, camera_of, check_focal, metres_factor
from depthrt.engine.modelfile.size_rule import SizeRule

NEEDS_FOCAL = replace(CONTRACT, kind="metric", focal_unit_px=300.0, size=SizeRule((504, 504), 14, "longest_nearest"))
SAME_SIZE = 2e-2  # sides are rounded to multiples of 14


def factor(focal_px: float | None, image_px: tuple[int, int]) -> float:
    return metres_factor(focal_px, NEEDS_FOCAL, fit_image(NEEDS_FOCAL.size, image_px), image_px)


def test_the_focal_length_is_that_of_the_input() -> None:
    assert factor(300.0, (504, 504)) == 1.0
    assert factor(600.0, (1008, 1008)) == 1.0
    assert factor(900.0, (504, 504)) == 3.0
    assert factor(1500.0, (1080, 1920)) == pytest.approx(1500 * (280 / 1080 + 504 / 1920) / 2 / 300)


@pytest.mark.parametrize("image_px", [(540, 960), (270, 480), (1620, 2880), (1000, 1777)])
def test_a_photograph_of_another_size_has_the_same_metres(image_px: tuple[int, int]) -> None:
    assert factor(1500 * image_px[1] / 1920, image_px) == pytest.approx(factor(1500, (1080, 1920)), rel=SAME_SIZE)


def test_without_a_focal_length_nothing_is_scaled() -> None:
    assert factor(None, (540, 960)) == 1.0
    assert check_focal(None, CONTRACT) is None
    assert NEEDS_FOCAL.kind_for(None) == "scale" and NEEDS_FOCAL.kind_for(500.0) == "metric"
    assert CONTRACT.kind_for(None) == CONTRACT.kind


@pytest.mark.parametrize("focal_px", [0, -5.0, math.nan, math.inf, "wide"])
def test_an_impossible_focal_length_is_refused(focal_px: float) -> None:
    assert "found, expected px of the image, above 0" in refusal(lambda: check_focal(focal_px, NEEDS_FOCAL))
    assert "expected px of the image, above 0" in refusal(lambda: Lens(focal_px=focal_px))


def test_a_model_that_takes_no_focal_length_says_so() -> None:
    inverse = refusal(lambda: check_focal(500, CONTRACT))
    assert inverse == (
        "a focal length was given, and depth-anything-v2-vits gives depth without a unit, whatever the camera; "
        "leave it out"
    )
    metric = replace(CONTRACT, kind="metric", max_depth_m=20.0)
    assert "gives metres for every camera; leave it out" in refusal(lambda: check_focal(500, metric))


def test_a_camera_stands_for_a_focal_length_and_its_two_are_averaged() -> None:
    image_px = (540, 960)
    camera, focal_px = camera_of(Intrinsics.centred(700, *image_px), None, NEEDS_FOCAL, image_px)
    assert camera is not None and focal_px == 700
    fit = fit_image(NEEDS_FOCAL.size, image_px)
    assert metres_factor(focal_px, NEEDS_FOCAL, fit, image_px, camera) == factor(700, image_px)
    flat = replace(camera, fy_px=500.0)
    down, across = fit.content_px[0] / 540, fit.content_px[1] / 960
    expected = (700 * across + 500 * down) / 2 / 300
    assert metres_factor(600, NEEDS_FOCAL, fit, image_px, flat) == pytest.approx(expected)
    assert camera_of(flat, None, NEEDS_FOCAL, image_px)[1] == 600


def test_a_camera_of_larger_images_gives_the_same_metres() -> None:
    whole = Intrinsics.centred(1500, 1080, 1920)
    camera, focal_px = camera_of(whole, None, NEEDS_FOCAL, (540, 960))
    assert camera == whole.scaled(540, 960) and focal_px == 750


def test_a_model_that_takes_no_focal_length_takes_a_camera_for_its_points() -> None:
    camera = Intrinsics(500.0, 510.0, 18.0, 11.5)
    assert camera_of(camera, None, CONTRACT, (24, 37)) == (replace(camera, size_px=(24, 37)), None)
    assert camera_of(None, None, CONTRACT, (24, 37)) == (None, None)
    both = refusal(lambda: camera_of(camera, 500, NEEDS_FOCAL, (24, 37)))
    assert "a focal length and a camera were given, expected one of them" in both
    wrong = refusal(lambda: camera_of(500, None, NEEDS_FOCAL, (24, 37)))  # type: ignore[arg-type]
    assert "camera: int found, expected Intrinsics" in wrong


def test_a_lens_is_known_by_one_of_two_numbers() -> None:
    assert Lens(focal_px=500).focal_of((10, 20)) == 500 and ANY_LENS.focal_of((10, 20)) is None
    assert Lens(fov_deg=90).focal_of((10, 20)) == pytest.approx(10.0)
    assert (ANY_LENS.known, Lens(fov_deg=90).known, Lens(focal_px=1).known) == (False, True, True)
    assert "(--focal-px, --fov)" in refusal(lambda: Lens(focal_px=500, fov_deg=90))
    assert "0 < angle < 180" in refusal(lambda: Lens(fov_deg=180))
