"""Images over a limit and arrays that are not images are refused with the way out."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from refusal import refusal

from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits, check_image


@pytest.mark.parametrize(
    ("limits", "height_px", "width_px"),
    [
        (DEFAULT_LIMITS, 1, 1),
        (DEFAULT_LIMITS, 10_000, 10_000),
        (DEFAULT_LIMITS, 100, 800),
        (DEFAULT_LIMITS, 800, 100),
        (Limits(max_pixels=6), 2, 3),
        (Limits(max_aspect=1), 7, 7),
    ],
)
def test_an_image_at_the_limit_is_taken(limits: Limits, height_px: int, width_px: int) -> None:
    limits.check_shape(height_px, width_px, "a.png")


@pytest.mark.parametrize(
    ("height_px", "width_px", "message"),
    [
        (0, 5, "a.png is 0x5 px (HxW), expected at least 1x1; give an image that has pixels"),
        (5, -1, "a.png is 5x-1 px (HxW), expected at least 1x1"),
        (10_001, 10_000, "100010000 pixels, expected at most 100000000; shrink it, or raise max_pixels (--max-pixels)"),
        (100, 801, "one side 8.01 times the other, expected at most 8 times; crop it, or raise max_aspect"),
        (801, 100, "one side 8.01 times the other, expected at most 8 times; crop it, or raise max_aspect"),
    ],
)
def test_an_image_over_a_limit_is_refused(height_px: int, width_px: int, message: str) -> None:
    assert message in refusal(lambda: DEFAULT_LIMITS.check_shape(height_px, width_px, "a.png"))


def test_a_file_may_have_exactly_the_limit() -> None:
    limits = Limits(max_file_mib=1.5)
    limits.check_file(3 * 2**19, "a.png")
    message = "a.png has more than 1.5 MiB, expected at most that; save it smaller, or raise max_file_mib"
    assert message in refusal(lambda: limits.check_file(3 * 2**19 + 1, "a.png"))


@pytest.mark.parametrize(
    ("max_file_mib", "expected"),
    [(1, 2**20), (0.3, 314_572), (float("inf"), sys.maxsize // 2), (1e30, sys.maxsize // 2)],
)
def test_the_limit_in_bytes_is_rounded_down_and_finite(max_file_mib: float, expected: int) -> None:
    assert Limits(max_file_mib=max_file_mib).max_file_bytes == expected


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "NoneType found, expected a numpy array (H, W, 3), uint8, BGR; is the path that cv2.imread got right"),
        ([[1, 2, 3]], "list found"),
        (np.zeros((4, 5), np.uint8), "(4, 5) uint8 found, expected a numpy array (H, W, 3), uint8, BGR; turn gray"),
        (np.zeros((4, 5, 1), np.uint8), "turn gray into colour"),
        (np.zeros((4, 5, 4), np.uint8), "drop the alpha channel with image[..., :3]"),
        (np.zeros((3, 4, 5), np.uint8), "put the channels last with image.transpose(1, 2, 0)"),
        (np.zeros((1, 4, 5, 3), np.uint8), "give one image at a time"),
        (np.zeros((0, 5, 3), np.uint8), "it is empty"),
        (np.zeros((4, 5, 3), np.float32), "float32 found"),
        (np.zeros((4, 5, 3), np.float64), "if it is in [0, 1] multiply by 255, then convert"),
        (np.full((4, 5, 3), np.nan), "it holds NaN or infinity"),
        (np.zeros((4, 5, 3), np.uint16), "divide by 257"),
        (np.zeros((4, 5, 3), bool), "bring it to [0, 255]"),
    ],
)
def test_an_array_that_is_not_an_image_is_refused_with_the_way_out(image: object, message: str) -> None:
    assert message in refusal(lambda: check_image(image))


def test_a_view_with_odd_strides_is_an_image() -> None:
    check_image(np.zeros((20, 30, 3), np.uint8)[::-2, ::3, ::-1])
