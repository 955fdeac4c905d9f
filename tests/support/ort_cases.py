"""What test_ort_on_gpu.py runs on the stand-in GPU, a process a case: python ort_cases.py CASE [ARGUMENT ...]."""

from __future__ import annotations

import gc
import logging
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from cuda_cases import LAUNCH_FAILED, LOST, assert_close, metres_and_sky_are_the_same, picture, refused
from standin import driver, fail, live
from standin_onnxruntime import CUDA, InferenceSession, install

import depthrt
from depthrt import BackendUnavailable, DepthModel, InputError, Limits
from depthrt.engine.images.preprocess import Color
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.runners.runner import ImageRunner
from depthrt.engine.runners.tuning import Tuning, remember_choice
from depthrt.engine.terms import Device

THREADS, REPEATS = 4, 10


def opened(onnx: str, device: Device) -> DepthModel:
    contract = read_contract(onnx)
    return DepthModel(open_runner(open_model_file(onnx), device=device, threads=1), contract, limits=Limits())


@contextmanager
def both(onnx: str) -> Iterator[tuple[DepthModel, DepthModel]]:
    """Open a file on the CPU and on the stand-in, and see that nothing is left behind."""
    with opened(onnx, "cpu") as cpu, opened(onnx, "cuda") as model:
        assert isinstance(model.runner, ImageRunner) and cpu.runner.provider != model.runner.provider == CUDA
        yield cpu, model
    assert live() == {}


def answers_like_the_cpu(onnx: str) -> None:
    images = [(picture(90, 120), "bgr"), (picture(90, 120, 1), "rgb"), (picture(120, 90), "bgr")]
    with both(onnx) as (cpu, model):
        assert model.notes == ()
        for image, named in images:
            color: Color = "rgb" if named == "rgb" else "bgr"
            for _ in range(3):
                depth = model.infer(image, color=color)
                assert_close(depth.values, cpu.infer(image, color=color).values)
        arrays = [image for image, _ in images] * 2
        for depths in (model.infer_batch(arrays), list(model.stream(arrays))):
            for depth, image in zip(depths, arrays, strict=True):
                assert_close(depth.values, cpu.infer(image).values)
        (height, width), count = cpu.prepare(images[0][0]).fit.input_px, cpu.contract.batch or 3
        batch = np.random.default_rng(0).standard_normal((count, 3, height, width)).astype(np.float32)
        for plane, expected in zip(model.runner.run(batch), cpu.runner.run(batch), strict=True):
            assert_close(plane, expected)


def a_file_in_half_runs(onnx: str) -> None:
    """The stand-in holds a session's options against the precision of its file."""
    with both(onnx) as (_, model):
        model.infer(picture(90, 120))


def metres_and_sky_are_those_of_the_cpu(onnx: str) -> None:
    images = [picture(126, 140, seed) for seed in range(3)]
    with both(onnx) as (cpu, model):
        metres_and_sky_are_the_same(cpu, model, images)
        assert any("no GPU kernel for input_resize area_uint8 and sky_from" in note for note in model.notes)


def resizes_without_kernels_go_by_the_host(*files: str) -> None:
    """Each file is followed by the words that name what has no kernel."""
    image = picture(90, 120)
    for onnx, words in zip(files[::2], files[1::2], strict=True):
        with both(onnx) as (cpu, model):
            note = f"depthrt has no GPU kernel for {words}, so the CPU resizes images and depth"
            assert model.notes == (note,)
            for depth in (model.infer(image), *model.infer_batch([image] * 2), *model.stream([image] * 2)):
                assert depth.provenance.notes == (note,)
                assert_close(depth.values, cpu.infer(image).values)


def resizes_with_kernels_stay_on_the_gpu(onnx: str) -> None:
    with both(onnx) as (cpu, model):
        for seed in range(4):
            image = picture(90, 120, seed)
            depth = model.infer(image)
            assert_close(depth.values, cpu.infer(image).values)
            assert depth.provenance.notes == ()
        model.infer_on_device(image).close()


def several_threads(onnx: str) -> None:
    images = [picture(60 + number, 90, number) for number in range(THREADS)]

    def worker(number: int) -> None:
        for repeat in range(REPEATS):
            which = (number + repeat) % THREADS
            assert_close(model.infer(images[which]).values, expected[which])
            prepared = cpu.prepare(images[which])
            assert_close(model.runner.run(prepared.batch), cpu.runner.run(prepared.batch))

    with both(onnx) as (cpu, model):
        expected = [cpu.infer(image).values for image in images]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(worker, range(THREADS)))


def without_pycuda_the_host_resizes(onnx: str) -> None:
    sys.modules["pycuda"] = None  # type: ignore[assignment]
    with both(onnx) as (cpu, model):
        (note,) = model.notes
        assert "so a CPU resizes the images: pycuda cannot be imported" in note
        assert_close(model.infer(picture(90, 120)).values, cpu.infer(picture(90, 120)).values)


def a_provider_that_does_not_start(onnx: str) -> None:
    InferenceSession.works = False
    with refused(BackendUnavailable, "ONNX Runtime could not start its CUDA provider; `depthrt doctor` says why"):
        opened(onnx, "cuda")
    with opened(onnx, "auto") as model:
        assert model.notes == ("ONNX Runtime could not start its CUDA provider, so the CPU is used",)
        model.infer(picture(90, 120))
    assert live() == {}


def a_tuned_choice_follows_a_provider_that_does_not_start(onnx: str) -> None:
    logging.getLogger("depthrt").addHandler(logging.NullHandler())
    tuning = Tuning(Choice("openvino", "fp32", 1), speed=2.0, drift=0.0, budget=0.005, made="2026-11-21", trials=())
    remember_choice(open_model_file(onnx), 1, tuning)
    with depthrt.load(onnx, threads=1) as model:
        assert model.runner.provider == CUDA
    InferenceSession.works = False
    with depthrt.load(onnx, threads=1) as model:
        assert (model.runner.name, model.runner.precision) == ("openvino", "fp32")
        assert re.match("ONNX Runtime could not start its CUDA provider.*; openvino fp32 is used", model.notes[0])
        assert str(tuning) in model.notes
    assert live() == {}


def a_run_that_fails(onnx: str) -> None:
    with both(onnx) as (cpu, model):
        image = picture(90, 120)
        for work in (lambda: model.infer(image), lambda: model.runner.run(cpu.prepare(image).batch)):
            InferenceSession.failure = "Failed to allocate memory\nfor requested buffer"
            with refused(BackendUnavailable, r"a CUDA call \(ONNX Runtime: Failed to allocate memory for requested"):
                work()
            work()
        assert_close(model.infer(image).values, cpu.infer(image).values)
    with refused(InputError, "this model is closed; load it again"):
        model.infer(image)
    with refused(InputError, "this model is closed; load it again"):
        model.runner.run(cpu.prepare(image).batch)


def a_file_of_one_size_runs_as_a_graph(onnx: str) -> None:
    with both(onnx) as (cpu, model):
        for seed in range(6):
            image = picture(90, 120, seed)
            assert_close(model.infer(image).values, cpu.infer(image).values)
        # Two step by step and one recorded, in the slot that takes all images.
        assert InferenceSession.runs == 3 and model.notes == ()
        batch = cpu.prepare(picture(90, 120)).batch
        assert_close(model.runner.run(batch), cpu.runner.run(batch))
        assert_close(model.infer(image).values, cpu.infer(image).values)


def a_session_that_cannot_be_recorded_still_runs(onnx: str) -> None:
    logging.disable(logging.WARNING)  # the note is logged too
    InferenceSession.recordable = False
    with both(onnx) as (cpu, model):
        for seed in range(6):
            image = picture(90, 120, seed)
            assert_close(model.infer(image).values, cpu.infer(image).values)
        (note,) = model.notes
        assert "cannot be recorded as a CUDA graph, so it is started step by step: " in note
        assert "operation not permitted when stream is capturing" in note


def a_file_of_any_size_runs_without_a_graph(onnx: str) -> None:
    with both(onnx) as (_, model):
        for seed in range(6):
            model.infer(picture(90, 120, seed))
        assert InferenceSession.runs == 6 and model.notes == ()


def a_stream_takes_the_next_image_while_one_runs(onnx: str) -> None:
    """Two images are under way on the session's one stream."""
    images = [picture(90, 120, seed) for seed in range(7)]
    taken: list[int] = []
    ahead: list[int] = []

    def arriving() -> Iterator[np.ndarray]:
        for number, image in enumerate(images):
            taken.append(number)
            yield image

    with both(onnx) as (cpu, model):
        for number, depth in enumerate(model.stream(arriving())):
            assert_close(depth.values, cpu.infer(images[number]).values)
            ahead.append(len(taken) - number)
        # A recording waits for both, so some images are taken later.
        assert max(ahead) == 3


def loses_the_gpu(onnx: str) -> None:
    model = opened(onnx, "cuda")
    model.infer(picture(40, 50))
    fail("cuEventSynchronize", LAUNCH_FAILED)
    for _ in range(2):
        with refused(BackendUnavailable, LOST):
            model.infer(picture(40, 50))
    model.close()
    model.close()


def forgotten_models_free_themselves(onnx: str) -> None:
    def forget() -> None:
        model = opened(onnx, "cuda")
        model.infer(picture(40, 50))
        model.runner.run(model.prepare(picture(40, 50)).batch)

    with ThreadPoolExecutor(1) as other:
        other.submit(forget).result()
    gc.collect()
    assert live() == {}


if __name__ == "__main__":
    assert driver()
    install()
    globals()[sys.argv[1]](*sys.argv[2:])
