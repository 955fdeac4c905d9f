"""Which resizes have kernels, and that those answer as the CPU does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pytest
from kernels_on_host import HostKernels
from made import CONTRACT
from made_resizes import WITH_KERNELS, with_kernels, without_kernels
from resized_on_host import UNWRITTEN, batch_on_host, depth_on_host

from depthrt.engine.cuda.kernels.resizes import host_note, missing_kernels
from depthrt.engine.images.fit import fit_image
from depthrt.engine.images.preprocess import to_image_size, to_input
from depthrt.engine.modelfile.contract import FinalResize, InputResize
from depthrt.engine.modelfile.size_rule import Margin, Pad, SizeRule

# As in test_kernels.py: float32 sums against float64, and positions in the depth that the CPU rounds to float32.
INPUT_TOLERANCE, DEPTH_TOLERANCE = 1e-5, 2e-5
RULES = [
    SizeRule((28, 42), 14, "lower_bound"),
    SizeRule((42, 56), 14, "minimal"),
    SizeRule((56, 56), 14, "upper_bound"),
    SizeRule((42, 42), 14, "square"),
    SizeRule((28, 56), 14, "letterbox"),
    SizeRule((56, 56), 14, "longest_nearest"),
]
IMAGES_PX = [(30, 41), (64, 40), (90, 120), (28, 42), (5, 4)]


def test_the_table_holds_every_combination_that_has_kernels_and_no_other() -> None:
    fields = product(get_args(InputResize), get_args(Pad), get_args(Margin), get_args(FinalResize))
    found = []
    for image, pad, margin, depth in fields:
        size = SizeRule((28, 28), 14, "minimal", pad, margin)
        contract = replace(CONTRACT, input_resize=image, size=size, final_resize=depth)
        assert bool(missing_kernels(contract)) == bool(host_note(contract))
        if not missing_kernels(contract):
            assert pad == "mirror"
            found.append((image, margin, depth))
    assert sorted(found) == sorted(WITH_KERNELS)


def test_the_note_names_everything_that_has_no_kernel() -> None:
    for contract, words in without_kernels(CONTRACT, 28, 14):
        note = f"depthrt has no GPU kernel for {words}, so the CPU resizes images and depth"
        assert host_note(contract) == note
        assert " and ".join(missing_kernels(contract)) == words


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule)
def test_images_and_depth_are_resized_as_on_the_cpu(host: HostKernels, rule: SizeRule) -> None:
    random = np.random.default_rng(0)
    for contract in with_kernels(CONTRACT, rule):
        for image_px in IMAGES_PX:
            image = random.integers(0, 256, (*image_px, 3), np.uint8)
            fit = fit_image(contract.size, image_px)
            expected = np.full((3, *fit.input_px), UNWRITTEN)
            to_input(image, contract, fit, color="bgr", out=expected)
            found = batch_on_host(host, image, contract, fit, color="bgr")
            assert np.abs(found - expected).max() <= INPUT_TOLERANCE, f"{contract.input_resize} of {image_px} in {fit}"
            depth = depth_on_host(host, expected[0], contract, fit, image_px)
            wanted = to_image_size(expected[0], contract, fit, image_px)
            assert np.abs(depth - wanted).max() <= DEPTH_TOLERANCE, f"{contract.final_resize} of {fit} to {image_px}"
