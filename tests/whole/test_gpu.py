"""The kernels and the device pipeline on a true GPU, against preprocess.py; test_cuda.py needs none."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from made import CONTRACT

from depthrt.engine.cuda.driver.driver import DRIVERS
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.network import NetworkCall
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.images.preprocess import fit_image, to_image_size, to_input
from depthrt.engine.modelfile.contract import FinalResize, SizeRule

pytestmark = pytest.mark.gpu

# float32 with fused multiply-adds against float64, on values up to 2.7 with overshoot.
TOLERANCE = 2e-5
SIZES = [(480, 640), (1080, 1920), (3000, 4000), (37, 53), (1, 1), (24, 9001), (480, 641)]
RULES = [SizeRule((518, 518), 14, "lower_bound"), SizeRule((252, 336), 14, "letterbox")]


@pytest.fixture(scope="module")
def gpu() -> Iterator[Cuda]:
    try:
        opened = Cuda()
    except BackendUnavailable as error:
        pytest.skip(str(error))
    with opened:
        yield opened


def red_plane(call: NetworkCall) -> None:
    """Answer with the first plane of the input: a network whose answer is known."""
    driver = ctypes.CDLL(next(name for name in DRIVERS if _loads(name)))
    n_bytes = ctypes.c_size_t(call.input_px[0] * call.input_px[1] * 4)
    copy = driver.cuMemcpyDtoDAsync_v2
    status = copy(ctypes.c_uint64(call.output), ctypes.c_uint64(call.input), n_bytes, ctypes.c_void_p(call.stream))
    assert status == 0, status


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
@pytest.mark.parametrize("rule", RULES, ids=["dynamic", "static"])
def test_the_gpu_prepares_and_finishes_as_preprocess_does(gpu: Cuda, rule: SizeRule, mode: FinalResize) -> None:
    contract = replace(CONTRACT, size=rule, final_resize=mode)
    random = np.random.default_rng(0)
    with DevicePipeline(gpu, contract, red_plane) as pipeline:
        for size in SIZES:
            fit = fit_image(rule, size)
            if max(fit.input_px) > 20_000:
                continue  # a network would not take it either
            batch = np.empty((3, *fit.input_px), np.float32)
            for _ in range(4):  # twice as it is, then as a graph
                image = random.integers(0, 256, (*size, 3), np.uint8)
                to_input(image, contract, fit, color="bgr", out=batch)
                found = pipeline.infer(image).values
                assert np.abs(found - to_image_size(batch[0], contract, fit, size)).max() <= TOLERANCE, size
        assert pipeline.notes == ()


def test_a_stream_gives_each_image_its_own_answer(gpu: Cuda) -> None:
    contract = replace(CONTRACT, size=RULES[0])
    images = [np.full((480, 640, 3), level, np.uint8) for level in range(0, 250, 5)]
    with DevicePipeline(gpu, contract, red_plane) as pipeline:
        for image, answer in zip(images, pipeline.stream(images), strict=True):
            expected = (image[0, 0, 0] / 255 - contract.mean[0]) / contract.std[0]
            assert np.abs(answer.values - expected).max() <= TOLERANCE


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
