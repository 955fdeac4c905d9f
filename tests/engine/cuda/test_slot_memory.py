"""The layout of a slot's memory, and its allocations on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from standin import SLOT_CASES, run_case

from depthrt.engine.cuda.kernels.kernels import TAP_BYTES
from depthrt.engine.cuda.slot_memory import ALIGNMENT, Addresses, Shape
from depthrt.engine.images.preprocess import Fit

START = 7 * ALIGNMENT
RANDOM_SHAPES = 200
LONGEST_PX = 400


def shape_of(image_px: tuple[int, int], input_px: tuple[int, int], *, on_gpu: bool = False) -> Shape:
    return Shape(image_px, "bgr", Fit(input_px, input_px), image_on_gpu=on_gpu)


def parts_of(shape: Shape, at: Addresses) -> list[tuple[int, int]]:
    """Return (address, bytes) of every part of the memory on the GPU, from what each part holds."""
    (height, width), (input_height, input_width) = shape.image_px, shape.fit.input_px
    return [
        (at.image, 0 if shape.image_on_gpu else 3 * height * width),
        (at.batch, 3 * input_height * input_width * np.float32().nbytes),
        (at.depth, input_height * input_width * np.float32().nbytes),
        (at.values, height * width * np.float32().nbytes),
        (at.image_taps[0], input_height * TAP_BYTES),
        (at.image_taps[1], input_width * TAP_BYTES),
        (at.depth_taps[0], height * TAP_BYTES),
        (at.depth_taps[1], width * TAP_BYTES),
    ]


@pytest.mark.parametrize("on_gpu", [False, True])
def test_the_parts_are_aligned_and_do_not_overlap(on_gpu: bool) -> None:
    random = np.random.default_rng(0)
    for sides in random.integers(1, LONGEST_PX, (RANDOM_SHAPES, 4)):
        height, width, input_height, input_width = (int(side) for side in sides)
        shape = shape_of((height, width), (input_height, input_width), on_gpu=on_gpu)
        at = shape.addresses(START)
        end = START
        for address, n_bytes in parts_of(shape, at):
            assert address % ALIGNMENT == 0 and address >= end
            end = address + n_bytes
        assert end <= at.end == START + shape.device_bytes


def test_the_network_writes_between_its_input_and_the_tables() -> None:
    """A graph is tried on this memory after it is blanked; the tables must be outside of it."""
    at = shape_of((60, 90), (28, 42)).addresses(START)
    assert at.image < at.batch < at.depth < at.values < min(*at.image_taps, *at.depth_taps)


def test_an_image_on_the_gpu_takes_no_memory() -> None:
    for image_px in ((1, 1), (20, 30), (518, 686)):
        here, there = shape_of(image_px, (28, 42)), shape_of(image_px, (28, 42), on_gpu=True)
        assert here.image_bytes == 3 * image_px[0] * image_px[1] and there.image_bytes == 0
        assert there.pinned_bytes == there.values_bytes < here.pinned_bytes
        assert here.device_bytes - there.device_bytes == here.pinned_bytes - there.pinned_bytes


def test_the_depth_is_behind_the_image_on_the_host() -> None:
    for image_px in ((1, 1), (16, 16), (20, 30), (37, 53)):
        shape = shape_of(image_px, (28, 42))
        assert shape.image_bytes <= shape.pinned_values < shape.image_bytes + ALIGNMENT
        assert shape.pinned_values % ALIGNMENT == 0
        assert shape.pinned_bytes - shape.pinned_values == shape.values_bytes == 4 * image_px[0] * image_px[1]


def test_shapes_that_differ_in_anything_share_nothing() -> None:
    fit = Fit((28, 42), (28, 42))
    shapes = [
        Shape((20, 30), "bgr", fit),
        Shape((20, 30), "rgb", fit),
        Shape((20, 31), "bgr", fit),
        Shape((20, 30), "bgr", Fit((28, 42), (14, 42), (7, 0))),
        Shape((20, 30), "bgr", fit, image_on_gpu=True),
        Shape((20, 30), "bgr", fit, depth_on_gpu=True),
    ]
    assert len(set(shapes)) == len(shapes) and Shape((20, 30), "bgr", fit) == shapes[0]


@pytest.mark.parametrize("case", ["memory_grows_and_is_kept", "memory_that_is_short_leaves_room_for_smaller_images"])
def test_memory_is_allocated_for_the_largest_shape(standin: Path, case: str) -> None:
    run_case(standin, case, cases=SLOT_CASES)
