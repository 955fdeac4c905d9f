"""Cases of tests/whole/test_gpu.py that end their process or break its GPU: python gpu_cases.py CASE."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from made import CONTRACT

import depthrt
from depthrt.engine.cuda.driver.driver import DRIVERS
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory, PinnedMemory, Stream
from depthrt.engine.cuda.kernels.kernels import depth_to_image
from depthrt.engine.cuda.network import NetworkCall
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.runners.ort_session import CUDA
from depthrt.engine.terms import Device

LOST = r"was lost \(.*\): every CUDA call of this process fails from now on; start the process again"


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def red_plane(call: NetworkCall) -> None:
    """Copy the first plane of the input to the output: a network whose answer is known."""
    driver = ctypes.CDLL(next(name for name in DRIVERS if _loads(name)))
    n_bytes = ctypes.c_size_t(call.input_px[0] * call.input_px[1] * 4)
    copy = driver.cuMemcpyDtoDAsync_v2
    status = copy(ctypes.c_uint64(call.output), ctypes.c_uint64(call.input), n_bytes, ctypes.c_void_p(call.stream))
    assert status == 0, status


@contextmanager
def refused(message: str) -> Iterator[None]:
    try:
        yield
    except BackendUnavailable as error:
        assert re.search(message, str(error)) and "\n" not in str(error), repr(error)
    else:
        raise AssertionError("no BackendUnavailable")


def forked() -> None:
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, CONTRACT, red_plane)
    expected = pipeline.infer(picture(40, 50)).values
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with refused("was opened before this process was forked, and CUDA does not survive"):
                pipeline.infer(picture(40, 50))
            pipeline.close()
            gpu.close()
            with refused("as in a process that was forked when CUDA had started"):
                Cuda()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(pipeline.infer(picture(40, 50)).values, expected)
    pipeline.close()
    gpu.close()


def break_gpu(gpu: Cuda) -> None:
    """Start a kernel that writes outside of all memory."""
    stream = Stream(gpu)
    stream.launch(depth_to_image(depth=64, depth_width=1, taps=(64, 64), values=64, image_px=(32, 32)))


def lost() -> None:
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, CONTRACT, red_plane)
    kept = pipeline.infer_kept(picture(40, 50)).memory
    for _ in range(4):
        pipeline.infer(picture(40, 50))
    break_gpu(gpu)
    for _ in range(2):
        with refused(LOST):
            pipeline.infer(picture(40, 50))
    kept.close()
    pipeline.close()
    gpu.close()
    with refused(LOST):
        Stream(gpu)


def lost_while_streaming() -> None:
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, CONTRACT, red_plane)
    answers = pipeline.stream(picture(400, 500, seed) for seed in range(20))
    next(answers)
    break_gpu(gpu)
    with refused(LOST):
        list(answers)
    pipeline.close()
    gpu.close()


def exits_without_close() -> None:
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, CONTRACT, red_plane)
    pipeline.infer(picture(40, 50))
    globals()["kept"] = [gpu, pipeline, PinnedMemory(gpu, 100), DeviceMemory(gpu, 100)]


def exits_without_close_of_kept_depth() -> None:
    pipeline = DevicePipeline(Cuda(), replace(CONTRACT), red_plane)
    for _ in range(4):
        globals().setdefault("kept", []).append(pipeline.infer_kept(picture(40, 50)))


def forgotten_in_another_thread() -> None:
    def forget() -> None:
        pipeline = DevicePipeline(Cuda(), CONTRACT, red_plane)
        for _ in range(4):
            pipeline.infer(picture(40, 50))

    with ThreadPoolExecutor(1) as other:
        other.submit(forget).result()
    gc.collect()
    gpu = Cuda()
    with DevicePipeline(gpu, CONTRACT, red_plane) as pipeline:
        pipeline.infer(picture(40, 50))
    gpu.close()


def before_torch() -> None:
    """torch starts after depthrt has opened, used and released the context that both use."""
    import torch

    gpu = Cuda()
    with DevicePipeline(gpu, CONTRACT, red_plane) as pipeline:
        pipeline.infer(picture(40, 50))
        assert float(torch.ones(10, device="cuda").sum()) == 10
    gpu.close()
    assert float(torch.ones(10, device="cuda").sum()) == 10
    gpu = Cuda()
    with DevicePipeline(gpu, CONTRACT, red_plane) as pipeline:
        for _ in range(4):
            pipeline.infer(picture(40, 50))
    gpu.close()


# Model files in ONNX Runtime's CUDA provider

MODEL_TOLERANCE = 1e-3  # of the range; float32 that is summed in another order
SHAPES = [(120, 160), (160, 120), (90, 200), (240, 320)]


def loaded(model: str, device: Device) -> depthrt.DepthModel:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # that TensorRT is missing, and what the model is for
    return depthrt.load(model, device=device)


@contextmanager
def both(model: str) -> Iterator[tuple[depthrt.DepthModel, depthrt.DepthModel]]:
    """Open a model file on the CPU and on the GPU."""
    with loaded(model, "cpu") as cpu, loaded(model, "cuda") as gpu:
        assert gpu.runner.name == "onnxruntime" and gpu.runner.provider == CUDA, gpu
        yield cpu, gpu
        assert not any("CUDA graph" in note for note in gpu.notes), gpu.notes


def assert_alike(found: depthrt.Depth, expected: depthrt.Depth) -> None:
    assert np.abs(found.values - expected.values).max() <= MODEL_TOLERANCE * np.ptp(expected.values)


def model_answers_like_the_cpu(model: str) -> None:
    with both(model) as (cpu, gpu):
        for number in range(5 * len(SHAPES)):  # a file of one size runs as a graph from the third image of a shape on
            image = picture(*SHAPES[number // 5], number)
            assert_alike(gpu.infer(image), cpu.infer(image))
        for shape in SHAPES:
            images = [picture(*shape, seed) for seed in range(12)]
            for image, depth in zip(images, gpu.stream(images), strict=True):
                assert_alike(depth, cpu.infer(image))


def model_resized_on_the_cpu(model: str, words: str) -> None:
    with both(model) as (cpu, gpu):
        for number, shape in enumerate(SHAPES):
            depth = gpu.infer(picture(*shape, number))
            assert_alike(depth, cpu.infer(picture(*shape, number)))
            note = f"depthrt has no GPU kernel for {words}, so the CPU resizes images and depth"
            assert note in depth.provenance.notes, depth.provenance.notes


def model_in_threads(model: str) -> None:
    with both(model) as (cpu, gpu):
        images = [picture(*SHAPES[number % 3], number) for number in range(6)]
        expected = [cpu.infer(image) for image in images]

        def worker(number: int) -> None:
            for repeat in range(30):
                which = (number + repeat // 5) % len(images)
                assert_alike(gpu.infer(images[which]), expected[which])
                if repeat % 10 == 0:
                    assert np.ptp(gpu.runner.run(gpu.prepare(images[which]).batch)) > 0

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(worker, range(4)))


def forked_model(model: str) -> None:
    """A child says in one line that it cannot use the model, and ends at once, although it ends the interpreter."""
    with loaded(model, "cuda") as gpu:
        expected = gpu.infer(picture(40, 50))
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            with refused("was opened before this process was forked, and CUDA does not survive"):
                gpu.infer(picture(40, 50))
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert np.array_equal(gpu.infer(picture(40, 50)).values, expected.values)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
