"""The kernels, compiled for the CPU (kernels_on_host.py), against preprocess.py and cv2; and their launches."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from kernels_on_host import HostKernels
from made import CONTRACT, make_contract
from resized_on_host import UNWRITTEN, Sides, batch_on_host, depth_on_host
from torch.nn.functional import interpolate

from depthrt.engine.cuda.kernels import kernels
from depthrt.engine.cuda.kernels.kernels import Axis, Launch
from depthrt.engine.images.fit import Fit, fit_image
from depthrt.engine.images.preprocess import Color, to_image_size, to_input
from depthrt.engine.modelfile.contract import Contract, FinalResize
from depthrt.engine.modelfile.size_rule import SizeRule

# float32 sums of 16 taps up to 255, divided by std 0.224; the largest difference seen is 1.5e-6.
INPUT_TOLERANCE = 1e-5
# The same arithmetic in the same order; fused multiply-adds may change the last bits of values in [-5, 5].
DEPTH_TOLERANCE = 5e-6
# The kernel computes positions in float64, cv2 in float64 or float32, by the size: 4e-6 px at 72 px, where random depth
# changes by 6. The largest difference seen is 9.3e-6.
CUBIC_DEPTH_TOLERANCE = 2e-5
LEVELS_TOLERANCE = 1  # cv2 weighs uint8 images with 11-bit weights and rounds
RANDOM_SIZES, HUNDREDS = 1000, 400
LONGEST_PX = 72  # a thousand sizes take seconds
COLORS: tuple[Color, Color] = ("rgb", "bgr")
CORNERS = replace(CONTRACT, input_resize="bilinear_corners")
BICUBIC = replace(CONTRACT, final_resize="bicubic")


def random_image(random: np.random.Generator, size_px: tuple[int, int]) -> np.ndarray:
    return random.integers(0, 256, (*size_px, 3), np.uint8)


def random_sizes(count: int, seed: int) -> Iterator[tuple[np.random.Generator, tuple[int, int], tuple[int, int]]]:
    """Yield two random sizes; 5 % of the sides are a single pixel."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        sides = random.integers(1, LONGEST_PX, 4)
        sides[random.random(4) < 0.05] = 1
        yield random, (int(sides[0]), int(sides[1])), (int(sides[2]), int(sides[3]))


def made_margin(random: np.random.Generator, image_px: Sides) -> Sides:
    """Return a margin a side, which may be wider than the image; half of the time none."""
    if random.random() < 0.5:
        return 0, 0
    most_height, most_width = (2 * side + 3 for side in image_px)
    return int(random.integers(0, most_height)), int(random.integers(0, most_width))


def corners_of(image: np.ndarray, contract: Contract, fit: Fit, color: Color) -> np.ndarray:
    """Return the input as torch computes it: the margin is copied, the whole resized, then mirrored around."""
    whole = np.pad(image, [*((side, side) for side in fit.margin_px), (0, 0)], mode="reflect")
    planes = (whole if color == "rgb" else whole[:, :, ::-1]).transpose(2, 0, 1) / np.float32(255)
    resized = interpolate(torch.from_numpy(planes)[None], fit.content_px, mode="bilinear", align_corners=True)
    mean, std = (np.array(values).reshape(3, 1, 1) for values in (contract.mean, contract.std))
    around = [
        (offset, side - offset - content)
        for offset, side, content in zip(fit.offset_px, fit.input_px, fit.content_px, strict=True)
    ]
    return np.pad((resized[0].numpy() - mean) / std, [(0, 0), *around], mode="reflect")


def made_fit(random: np.random.Generator, content_px: Sides, margin_px: Sides = (0, 0)) -> Fit:
    """Return a fit, half of the time with random padding, which may be wider than the content that it mirrors."""
    margins = random.integers(0, 20, 4) if random.random() < 0.5 else np.zeros(4, int)
    top, left, bottom, right = (int(margin) for margin in margins)
    return Fit((content_px[0] + top + bottom, content_px[1] + left + right), content_px, (top, left), margin_px)


def test_a_thousand_random_sizes_give_the_input_that_preprocess_gives(host: HostKernels) -> None:
    for number, (random, image_px, content_px) in enumerate(random_sizes(RANDOM_SIZES, seed=1)):
        image, fit = random_image(random, image_px), made_fit(random, content_px)
        color: Color = "bgr" if number % 2 else "rgb"
        expected = np.full((3, *fit.input_px), UNWRITTEN)
        to_input(image, CONTRACT, fit, color=color, out=expected)
        found = batch_on_host(host, image, CONTRACT, fit, color=color, spare_bytes=number % 5)
        assert np.abs(found - expected).max() <= INPUT_TOLERANCE, f"{image_px} in {fit}, {color}"


def test_a_thousand_random_sizes_are_within_one_level_of_cv2_on_bytes(host: HostKernels) -> None:
    as_it_is = replace(CONTRACT, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    for random, image_px, target_px in random_sizes(RANDOM_SIZES, seed=2):
        image = random_image(random, image_px)
        expected = cv2.resize(image, target_px[::-1], interpolation=cv2.INTER_CUBIC)  # (w, h) for OpenCV
        planes = batch_on_host(host, image, as_it_is, Fit(target_px, target_px), color="rgb")
        levels = np.clip(np.rint(planes.transpose(1, 2, 0) * 255), 0, 255)
        assert np.abs(levels - expected).max() <= LEVELS_TOLERANCE, f"{image_px} to {target_px}"


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
def test_a_thousand_random_sizes_give_the_depth_that_preprocess_gives(host: HostKernels, mode: FinalResize) -> None:
    contract = replace(CONTRACT, final_resize=mode)
    for random, image_px, content_px in random_sizes(RANDOM_SIZES, seed=3):
        fit = made_fit(random, content_px)
        output = random.normal(size=fit.input_px).astype(np.float32)
        expected = to_image_size(output, contract, fit, image_px)
        found = depth_on_host(host, output, contract, fit, image_px)
        assert np.abs(found - expected).max() <= DEPTH_TOLERANCE, f"{fit} to {image_px}"


def test_hundreds_of_random_sizes_are_resized_as_torch_does_from_corner_to_corner(host: HostKernels) -> None:
    for number, (random, image_px, content_px) in enumerate(random_sizes(HUNDREDS, seed=5)):
        image, fit = random_image(random, image_px), made_fit(random, content_px, made_margin(random, image_px))
        color: Color = "bgr" if number % 2 else "rgb"
        expected = corners_of(image, CORNERS, fit, color)
        found = batch_on_host(host, image, CORNERS, fit, color=color, spare_bytes=number % 5)
        assert np.abs(found - expected).max() <= INPUT_TOLERANCE, f"{image_px} in {fit}, {color}"


def test_hundreds_of_random_sizes_give_the_depth_that_cv2s_cubic_gives(host: HostKernels) -> None:
    for random, image_px, content_px in random_sizes(HUNDREDS, seed=6):
        fit = made_fit(random, content_px, made_margin(random, image_px))
        output = random.normal(size=fit.input_px).astype(np.float32)
        (first_row, first_column), (top, left) = fit.offset_px, fit.margin_px
        content = output[first_row : first_row + content_px[0], first_column : first_column + content_px[1]].copy()
        whole_px = fit.framed_px(image_px)
        whole = cv2.resize(content, whole_px[::-1], interpolation=cv2.INTER_CUBIC)  # (w, h) for OpenCV
        expected = whole[top : top + image_px[0], left : left + image_px[1]]
        found = depth_on_host(host, output, BICUBIC, fit, image_px)
        assert np.abs(found - expected).max() <= CUBIC_DEPTH_TOLERANCE, f"{fit} to {image_px}"


def test_depth_of_the_images_size_is_not_changed(host: HostKernels) -> None:
    output = np.random.default_rng(7).normal(size=(28, 42)).astype(np.float32)
    for margin in (0, 3):
        fit = Fit((28, 42), (14, 28), (7, 7), (margin, margin))
        found = depth_on_host(host, output, BICUBIC, fit, (14 - 2 * margin, 28 - 2 * margin))
        assert np.array_equal(found, output[7 + margin : 21 - margin, 7 + margin : 35 - margin])


@pytest.mark.parametrize("image_px", [(480, 640), (24, 9001), (9001, 24), (1, 1)])
@pytest.mark.parametrize(
    "rule", [SizeRule((14, 14), 14, "lower_bound"), SizeRule((126, 196), 14, "letterbox")], ids=["dynamic", "static"]
)
def test_the_fits_of_a_contract_give_the_input_that_preprocess_gives(
    host: HostKernels, rule: SizeRule, image_px: tuple[int, int]
) -> None:
    contract = make_contract(size=rule)
    image, fit = random_image(np.random.default_rng(4), image_px), fit_image(rule, image_px)
    expected = np.full((3, *fit.input_px), UNWRITTEN)
    to_input(image, contract, fit, color="bgr", out=expected)
    assert np.abs(batch_on_host(host, image, contract, fit, color="bgr") - expected).max() <= INPUT_TOLERANCE


def test_padding_does_not_reach_the_depth(host: HostKernels) -> None:
    fit = Fit((28, 42), (14, 28), (7, 7))
    output = np.full(fit.input_px, UNWRITTEN)
    output[7:21, 7:35] = 3.5
    modes: list[FinalResize] = ["bilinear_corners", "bilinear_centres", "bicubic"]
    for mode in modes:
        found = depth_on_host(host, output, replace(CONTRACT, final_resize=mode), fit, (60, 90))
        assert np.abs(found - np.float32(3.5)).max() <= (DEPTH_TOLERANCE if mode == "bicubic" else 0)


def test_a_launch_covers_its_output_with_whole_warps() -> None:
    for size_px in ((1, 1), (8, 32), (9, 33), (518, 924)):
        launch = kernels.depth_to_image(depth=0, depth_width=1, taps=(0, 0), values=0, image_px=size_px)
        assert launch.grid[0] * launch.block[0] >= size_px[1] > (launch.grid[0] - 1) * launch.block[0]
        assert launch.grid[1] * launch.block[1] >= size_px[0] > (launch.grid[1] - 1) * launch.block[1]
        assert launch.block[0] * launch.block[1] % 32 == 0


def test_every_kernel_of_the_source_has_its_arguments_listed() -> None:
    source = kernels.SOURCE.read_text(encoding="utf-8")
    names = [line.split("(")[0].split()[-1] for line in source.splitlines() if line.startswith('extern "C" __global__')]
    assert sorted(names) == sorted(kernels.ARGUMENTS)


def test_a_launch_packs_into_the_arguments_of_its_kernel() -> None:
    fit = Fit((14, 14), (14, 14))
    launches: list[Launch] = [
        kernels.cubic_taps(1, fit, 0, (5, 5)),
        kernels.corner_taps(1, fit, 0, (5, 5)),
        kernels.bilinear_taps(1, fit, 1, (5, 5), mode="bilinear_centres"),
        kernels.depth_cubic_taps(1, fit, 1, (5, 5)),
        *(
            kernels.image_to_batch(
                image=1,
                row_bytes=15,
                image_px=(5, 5),
                taps=(2, 3),
                batch=4,
                input_px=(14, 14),
                contract=contract,
                color="bgr",
            )
            for contract in (CONTRACT, CORNERS)
        ),
        kernels.depth_to_image(depth=1, depth_width=14, taps=(2, 3), values=4, image_px=(5, 5)),
        kernels.depth_to_image_cubic(depth=1, fit=fit, taps=(2, 3), values=4, image_px=(5, 5)),
    ]
    assert {launch.kernel for launch in launches} == set(kernels.ARGUMENTS)
    for launch in launches:
        struct.pack(kernels.ARGUMENTS[launch.kernel], *launch.arguments)


def test_a_table_covers_its_axis_with_one_row_of_threads() -> None:
    cases: list[tuple[int, Axis]] = [(1, 0), (128, 0), (129, 1), (9001, 1)]
    for side, axis in cases:
        fit = Fit((side, 14), (side, 14)) if axis == 0 else Fit((14, side), (14, side))
        for launch in (
            kernels.cubic_taps(0, fit, axis, (5, 5)),
            kernels.corner_taps(0, fit, axis, (5, 5)),
            kernels.depth_cubic_taps(0, Fit((14, 14), (14, 14)), axis, fit.input_px),
            kernels.bilinear_taps(0, Fit((14, 14), (14, 14)), axis, fit.input_px, mode="bilinear_centres"),
        ):
            threads = launch.grid[0] * launch.block[0]
            assert threads - launch.block[0] < side <= threads
            assert (*launch.grid[1:], *launch.block[1:]) == (1, 1, 1, 1) and launch.arguments[1] == side


def test_the_normalisation_follows_the_order_of_the_channels() -> None:
    contract = replace(CONTRACT, mean=(0.1, 0.2, 0.4), std=(0.5, 0.25, 0.125))
    rgb, bgr = (
        kernels.image_to_batch(
            image=0,
            row_bytes=15,
            image_px=(5, 5),
            taps=(0, 0),
            batch=0,
            input_px=(14, 14),
            contract=contract,
            color=color,
        ).arguments
        for color in COLORS
    )
    assert rgb[:-7] == bgr[:-7] and (rgb[-7], bgr[-7]) == (0, 1)
    assert rgb[-6:] == pytest.approx([1 / 127.5, 1 / 63.75, 1 / 31.875, -0.2, -0.8, -3.2])
    assert bgr[-6:] == (*rgb[-6:-3][::-1], *rgb[-3:][::-1])
