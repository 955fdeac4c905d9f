from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from made import make_contract
from reference_depth_anything import reference_preprocess

from depthrt.engine.images.preprocess import Color, Fit, fit_image, resize_bilinear, to_image_size, to_input
from depthrt.engine.modelfile.contract import Contract, FinalResize
from depthrt.engine.modelfile.size_rule import SizeRule

TENSOR_TOLERANCE = 1e-6  # the bar of the project; float64 arithmetic leaves about 1e-8
RESIZE_TOLERANCE = 2e-5  # torch weighs in float32: about 6e-8 of the largest coordinate, 300 here

LOWER_BOUND = SizeRule((518, 518), 14, "lower_bound")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def as_input(image: np.ndarray, contract: Contract, *, color: Color = "bgr") -> np.ndarray:
    fit = fit_image(contract.size, image.shape[:2])
    out = np.full((3, *fit.input_px), np.nan, np.float32)
    to_input(image, contract, fit, color=color, out=out)
    return out


@pytest.mark.parametrize(
    ("image_px", "input_px"),
    [
        ((480, 640), (518, 686)),
        ((768, 1024), (518, 686)),
        ((1080, 1920), (518, 924)),
        ((375, 1242), (518, 1722)),
        ((640, 480), (686, 518)),
        ((518, 518), (518, 518)),
        ((1, 1), (518, 518)),
    ],
)
def test_the_official_rule_gives_the_official_size(image_px: tuple[int, int], input_px: tuple[int, int]) -> None:
    assert fit_image(LOWER_BOUND, image_px) == Fit(input_px, input_px)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (100, 130), (1200, 1600), (519, 517), (3, 4)])
def test_the_input_equals_upstreams(size: tuple[int, int]) -> None:
    image = picture(*size)
    expected = reference_preprocess(image)[0]
    assert np.abs(as_input(image, make_contract()) - expected).max() <= TENSOR_TOLERANCE


def test_channel_order_is_what_the_caller_says() -> None:
    image = picture(60, 80)
    bgr, rgb = as_input(image, make_contract()), as_input(image[:, :, ::-1], make_contract(), color="rgb")
    assert np.array_equal(bgr, rgb)
    assert not np.array_equal(bgr, as_input(image, make_contract(), color="rgb"))


def test_an_image_of_any_memory_layout_gives_the_same_input() -> None:
    image = picture(60, 90)
    turned = np.asfortranarray(image)
    assert np.array_equal(as_input(image, make_contract()), as_input(turned, make_contract()))


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
@pytest.mark.parametrize("sizes", [((37, 49), (480, 640)), ((37, 49), (20, 30)), ((5, 7), (5, 20)), ((4, 4), (1, 1))])
def test_the_final_resize_equals_torch(mode: FinalResize, sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    source, target = sizes
    values = np.random.default_rng(1).normal(size=source).astype(np.float32)
    tensor = torch.from_numpy(values)[None, None]
    expected = F.interpolate(tensor, target, mode="bilinear", align_corners=mode == "bilinear_corners")[0, 0].numpy()
    found = resize_bilinear(values, target, mode=mode)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= RESIZE_TOLERANCE


@pytest.mark.parametrize("image_px", [(480, 640), (1440, 1920)])
def test_a_static_graph_of_the_official_size_gives_the_official_input(image_px: tuple[int, int]) -> None:
    image = picture(*image_px)
    static = make_contract(size=SizeRule((518, 686), 14, "letterbox"))
    assert np.array_equal(as_input(image, static), as_input(image, make_contract()))


@pytest.mark.parametrize("image_px", [(100, 900), (900, 100), (300, 301), (7, 3), (1, 5)])
def test_a_static_graph_keeps_the_aspect_and_mirrors_the_image_around_it(image_px: tuple[int, int]) -> None:
    rule = SizeRule((252, 336), 14, "letterbox")
    fit = fit_image(rule, image_px)
    (height, width), (top, left) = fit.content_px, fit.offset_px
    assert fit.input_px == (252, 336)
    assert top + height <= 252 and left + width <= 336
    assert all(value % 14 == 0 for value in (height, width, top, left))
    scale = min(252 / image_px[0], 336 / image_px[1])
    assert abs(height - scale * image_px[0]) <= 14 and abs(width - scale * image_px[1]) <= 14
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
