from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import cv2
import numpy as np
import pytest
from made import make_contract
from official_images import (
    HALF,
    IMAGENET,
    da3_input,
    marigold_input,
    midas_input,
    midas_output,
    midas_size,
    zoe_input,
    zoe_output,
)
from reference_depth_anything import reference_preprocess

from depthrt.engine.images.preprocess import Color, fit_image, make_batch, to_image_size, to_input
from depthrt.engine.modelfile.contract import Contract, FinalResize, InputResize
from depthrt.engine.modelfile.size_rule import Rule, SizeRule

TENSOR_TOLERANCE = 1e-6  # the bar of the project; float64 arithmetic leaves about 1e-8, float32 5e-7
OUTPUT_TOLERANCE = 3e-5  # of a range: torch rounds positions to float32, and a photograph changes faster than depth

MARIGOLD = SizeRule((768, 768), 8, "longest_floor", pad="edge_end")
ZOEDEPTH = SizeRule((384, 512), 32, "minimal", margin="zoe")
SIZES = [(480, 640), (640, 480), (99, 131), (600, 800), (37, 52)]


def contract_of(
    size: SizeRule, resize: InputResize, meaning: tuple[np.ndarray, np.ndarray], final: FinalResize = "bicubic"
) -> Contract:
    """Return a contract of a family's way."""
    mean, std = (tuple(map(float, values)) for values in meaning)
    return replace(make_contract(size=size), input_resize=resize, mean=mean, std=std, final_resize=final)  # type: ignore[arg-type]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def as_input(image: np.ndarray, contract: Contract, *, color: Color = "bgr") -> np.ndarray:
    fit = fit_image(contract.size, image.shape[:2])
    out = np.full((3, *fit.input_px), np.nan, np.float32)
    to_input(image, contract, fit, color=color, out=out)
    return out


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (100, 130), (1200, 1600), (519, 517), (3, 4)])
def test_the_input_equals_upstreams(size: tuple[int, int]) -> None:
    image = picture(*size)
    expected = reference_preprocess(image)[0]
    assert np.abs(as_input(image, make_contract()) - expected).max() <= TENSOR_TOLERANCE


@pytest.mark.parametrize("image_px", SIZES)
@pytest.mark.parametrize(
    ("rule", "base", "meaning"),
    [("minimal", 512, HALF), ("minimal", 384, HALF), ("square", 256, HALF), ("upper_bound", 256, IMAGENET)],
)
def test_the_input_and_the_way_back_are_those_of_midas(
    rule: Rule, base: int, meaning: tuple[np.ndarray, np.ndarray], image_px: tuple[int, int]
) -> None:
    contract = contract_of(SizeRule((base, base), 32, rule), "cubic", meaning)
    image = picture(*image_px)
    size = (base, base) if rule == "square" else midas_size(rule, (base, base), 32, image_px)
    found = as_input(image, contract)
    assert np.abs(found - midas_input(image[:, :, ::-1], size, meaning)).max() <= TENSOR_TOLERANCE
    depth = to_image_size(found[0], contract, fit_image(contract.size, image_px), image_px)
    assert np.abs(depth - midas_output(found[0], image_px)).max() <= OUTPUT_TOLERANCE * np.ptp(found[0])


@pytest.mark.parametrize("image_px", [*SIZES, (5, 7)])
@pytest.mark.parametrize("base_px", [(384, 512), (384, 768)])
def test_the_input_and_the_way_back_are_those_of_zoedepth(base_px: tuple[int, int], image_px: tuple[int, int]) -> None:
    contract = contract_of(replace(ZOEDEPTH, base_px=base_px), "bilinear_corners", HALF)
    image = picture(*image_px)
    found = as_input(image, contract)
    assert np.abs(found - zoe_input(image[:, :, ::-1], base_px)).max() <= TENSOR_TOLERANCE
    depth = to_image_size(found[0], contract, fit_image(contract.size, image_px), image_px)
    assert np.abs(depth - zoe_output(found[0], image_px)).max() <= OUTPUT_TOLERANCE * np.ptp(found[0])


@pytest.mark.parametrize("image_px", [*SIZES, (1, 1), (700, 801)])
def test_the_input_is_that_of_marigold(image_px: tuple[int, int]) -> None:
    contract = contract_of(MARIGOLD, "bilinear_antialias", HALF, "bilinear_centres")
    image = picture(*image_px)
    expected = marigold_input(image[:, :, ::-1], 768)
    found = as_input(image, contract)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= TENSOR_TOLERANCE


@pytest.mark.parametrize("image_px", [*SIZES, (1, 1), (504, 500), (710, 1000)])
def test_the_input_is_that_of_depth_anything_3(image_px: tuple[int, int]) -> None:
    contract = contract_of(SizeRule((504, 504), 14, "longest_nearest"), "area_uint8", IMAGENET)
    image = picture(*image_px)
    if image_px == (1, 1):
        image = np.full((1, 1, 3), 77, np.uint8)
    found, expected = as_input(image, contract), da3_input(image[:, :, ::-1], 504)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= TENSOR_TOLERANCE


RESIZES: tuple[InputResize, ...] = get_args(InputResize)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize(
    "rule", [ZOEDEPTH, MARIGOLD, SizeRule((64, 96), 32, "letterbox", margin="zoe"), SizeRule((96, 96), 32, "square")]
)
@pytest.mark.parametrize("image_px", [(1, 1), (2, 9), (60, 90), (150, 90)])
def test_every_resize_goes_with_every_rule_and_any_size(
    resize: InputResize, rule: SizeRule, image_px: tuple[int, int]
) -> None:
    contract = contract_of(rule, resize, HALF)
    image = np.full((*image_px, 3), 51, np.uint8)
    fit = fit_image(rule, image_px)
    batch = make_batch(image, contract, fit, "bgr")
    assert np.abs(batch - (51 / 255 - 0.5) / 0.5).max() <= TENSOR_TOLERANCE
    depth = to_image_size(batch[0, 0], contract, fit, image_px)
    assert depth.shape == image_px
    assert np.abs(depth - batch[0, 0, 0, 0]).max() <= TENSOR_TOLERANCE


@pytest.mark.parametrize("resize", RESIZES)
def test_a_margin_is_the_image_mirrored_around_before_any_resize(resize: InputResize) -> None:
    contract = contract_of(ZOEDEPTH, resize, HALF)
    image = picture(60, 90)
    fit = fit_image(ZOEDEPTH, (60, 90))
    framed = np.pad(image, [(fit.margin_px[0],) * 2, (fit.margin_px[1],) * 2, (0, 0)], mode="reflect")
    assert np.array_equal(
        as_input(image, contract),
        as_input(framed, replace(contract, size=replace(ZOEDEPTH, margin="none"))),
    )


def test_channel_order_is_what_the_caller_says() -> None:
    image = picture(60, 80)
    bgr, rgb = as_input(image, make_contract()), as_input(image[:, :, ::-1], make_contract(), color="rgb")
    assert np.array_equal(bgr, rgb)
    assert not np.array_equal(bgr, as_input(image, make_contract(), color="rgb"))


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("turn", [np.asfortranarray, lambda image: image[::-1, ::-1].copy()[::-1, ::-1]])
def test_an_image_of_any_memory_layout_gives_the_same_input(
    turn: Callable[[np.ndarray], np.ndarray], resize: InputResize
) -> None:
    image, contract = picture(60, 90), replace(make_contract(), input_resize=resize)
    assert np.array_equal(as_input(image, contract), as_input(turn(image), contract))


@pytest.mark.parametrize("image_px", [(480, 640), (1440, 1920)])
def test_a_static_graph_of_the_official_size_gives_the_official_input(image_px: tuple[int, int]) -> None:
    image = picture(*image_px)
    static = make_contract(size=SizeRule((518, 686), 14, "letterbox"))
    assert np.array_equal(as_input(image, static), as_input(image, make_contract()))


@pytest.mark.parametrize("image_px", [(100, 900), (900, 100), (300, 301), (7, 3), (1, 5)])
def test_a_static_graph_sees_the_image_mirrored_around(image_px: tuple[int, int]) -> None:
    rule = SizeRule((252, 336), 14, "letterbox")
    fit = fit_image(rule, image_px)
    (height, width), (top, left) = fit.content_px, fit.offset_px
    padded = as_input(picture(*image_px), make_contract(size=rule))
    assert np.isfinite(padded).all()
    content = padded[:, top : top + height, left : left + width]
    before, after = (top, left), (252 - top - height, 336 - left - width)
    margins = [(0, 0), *zip(before, after, strict=True)]
    assert np.array_equal(padded, np.pad(content, margins, mode="reflect"))


def test_the_way_back_cuts_the_padding_off() -> None:
    contract = make_contract(size=SizeRule((252, 336), 14, "letterbox"))
    fit = fit_image(contract.size, (100, 400))
    output = np.full((252, 336), np.nan, np.float32)
    (height, width), (top, left) = fit.content_px, fit.offset_px
    output[top : top + height, left : left + width] = 3.5
    assert (to_image_size(output, contract, fit, (100, 400)) == np.float32(3.5)).all()
