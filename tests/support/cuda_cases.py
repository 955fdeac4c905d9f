"""Cases of tests/engine/cuda on the stand-in GPU, and what all files of cases share.

Each case runs in a process: python cuda_cases.py CASE [ARGUMENT ...].
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gpu_garbage import Forgotten, make_collector_due
from standin import HOST_FUNCTION, HostNetwork, driver, fail, limit_memory, live

import depthrt
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import Stream
from depthrt.engine.cuda.network import Network, NetworkCall
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.preprocess import Color
from depthrt.engine.modelfile.contract import read_contract

# Network inputs differ by 1e-5 at most (test_kernels.py); a tiny random network amplifies the difference.
DEPTH_TOLERANCE = 1e-4
OUT_OF_MEMORY, LAUNCH_FAILED, NOT_SUPPORTED = 2, 719, 801  # Source: CUDA driver API, CUresult
MIB = 1 << 20
GROWTH_MIB = 5.0  # of the process, in a round of inferences
ROUNDS = 4
THREADS = 8
LOST = r"Stand-in GPU was lost \(.*\): every CUDA call of this process fails from now on; start the process again"


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@contextmanager
def refused(kind: type[Exception], message: str) -> Iterator[None]:
    """Expect an error of exactly this kind, in one line that matches."""
    try:
        yield
    except kind as error:
        assert type(error) is kind and re.search(message, str(error)), repr(error)
        assert "\n" not in str(error)
    else:
        raise AssertionError(f"no {kind.__name__}")


@contextmanager
def pipeline_of(onnx: str, *, slots: int = 3, graphs: bool = True) -> Iterator[tuple[DevicePipeline, HostNetwork]]:
    """Open a pipeline, and check that nothing is left on the GPU afterwards."""
    network = HostNetwork(Path(onnx))
    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), network, slots=slots, graphs=graphs) as pipeline:
        yield pipeline, network
    assert live() == {}


def metres_and_sky_are_the_same(cpu: depthrt.DepthModel, model: depthrt.DepthModel, images: list[np.ndarray]) -> None:
    """Compare a model that says where the sky is, with and without a focal length, by every way to infer."""
    for focal_px in (None, 300.0):
        expected = [cpu.infer(image, focal_px=focal_px) for image in images]
        found = [
            [model.infer(image, focal_px=focal_px) for image in images],
            model.infer_batch(images, focal_px=focal_px),
            list(model.stream(images, focal_px=focal_px)),
        ]
        for depths in found:
            for depth, wanted in zip(depths, expected, strict=True):
                assert depth.kind == wanted.kind == ("scale" if focal_px is None else "metric")
                assert_close(depth.values, wanted.values)
                assert np.array_equal(depth.valid, wanted.valid)
        assert any(not wanted.valid.all() for wanted in expected)


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    difference = np.abs(found - expected).max() / max(np.ptp(expected), np.abs(expected).max())
    assert difference <= DEPTH_TOLERANCE, difference


def answers_like_the_cpu(onnx: str) -> None:
    wide = picture(96, 260)[:, 30:190]  # rows lie apart
    images = [(picture(90, 120), "bgr"), (picture(90, 120, 1), "rgb"), (wide, "bgr"), (picture(1, 1), "bgr")]
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx) as (pipeline, network):
        for image, named in images:
            color: Color = "rgb" if named == "rgb" else "bgr"
            expected = model.infer(image, color=color).values
            for _ in range(4):  # two runs step by step, then two as a graph
                answer = pipeline.infer(image, color=color)
                assert_close(answer.values, expected)
                assert answer.timings.run_ms > 0
        assert network.calls == 3 * len(images)  # two runs and the recording
        assert pipeline.notes == ()


def answers_each_image_of_a_graph(onnx: str) -> None:
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx, slots=1) as (pipeline, _):
        for seed in range(5):
            image = picture(80, 100, seed)
            assert_close(pipeline.infer(image).values, model.infer(image).values)


def streams_in_order(onnx: str) -> None:
    images = [picture(60 + 20 * (number % 3), 90, number) for number in range(11)]
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx) as (pipeline, _):
        expected = [model.infer(image).values for image in images]
        for repeat in range(2):
            for number, answer in enumerate(pipeline.stream(iter(images))):
                assert_close(answer.values, expected[number])
                if repeat:  # takes a slot from the stream
                    assert_close(pipeline.infer(images[0]).values, expected[0])
            assert number == len(images) - 1
        unread = pipeline.stream(iter(images))
        assert_close(next(unread).values, expected[0])
        for _ in range(2):
            streams = zip(pipeline.stream(images), pipeline.stream(images), strict=True)
            for number, answers in enumerate(streams):
                for answer in answers:
                    assert_close(answer.values, expected[number])
        unread.close()
        unfinished = pipeline.stream(iter(images))
        next(unfinished)
        unfinished.close()
        assert not pipeline._started and len(pipeline._free) == len(pipeline._slots)
        assert_close(pipeline.infer(images[1]).values, expected[1])


def a_stream_gives_what_came_before_a_refusal(onnx: str) -> None:
    images = [picture(60, 90, number) for number in range(2)]
    host = HostNetwork(Path(onnx))

    def refuses_tall_images(call: NetworkCall) -> None:
        if call.input_px[0] > call.input_px[1]:
            raise InputError("too tall")
        host(call)

    with (
        depthrt.load(onnx, device="cpu", threads=1) as model,
        Cuda() as gpu,
        DevicePipeline(gpu, read_contract(onnx), refuses_tall_images) as pipeline,
    ):
        answers = pipeline.stream([*images, picture(90, 60)])
        for image in images:
            assert_close(next(answers).values, model.infer(image).values)
        with refused(InputError, "too tall"):
            next(answers)
    assert live() == {}


def any_device_falls_back_to_the_cpu(onnx: str) -> None:
    logging.disable(logging.WARNING)  # the note goes to stderr, too
    with depthrt.load(onnx, device="auto") as model:
        notes = model.infer(picture(60, 90)).provenance.notes
    assert [note for note in notes if re.search("cuInit returns 803; .*; the CPU is used", note)], notes


def many_threads(onnx: str, count: str) -> None:
    images = [picture(40 + number, 60, number) for number in range(THREADS)]

    def infer(which: int, repeat: int) -> None:
        assert_close(pipeline.infer(images[which]).values, expected[which])

    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx) as (pipeline, _):
        expected = [model.infer(image).values for image in images]
        does_not_grow(int(count), warm_up=lambda which: pipeline.infer(images[which]), infer=infer)


def does_not_grow(
    count: int, *, warm_up: Callable[[int], object], infer: Callable[[int, int], None], pieces: bool = False
) -> None:
    """Infer every image in every thread, and check that the process does not grow.

    The allocator takes a few MiB more when threads first run in a new order, and then no more. A leak grows by the
    same amount in every round. So the growth is measured again, and must stop in one of a few rounds.

    Args:
        count: Inferences in a round.
        warm_up: Takes the number of an image; every thread calls it for every image before the first measurement.
        infer: Takes the number of an image and the repeat, and checks the answer.
        pieces: Whether the number of allocations on the GPU must be the same afterwards.
    """

    def worker(number: int) -> None:
        for repeat in range(count // THREADS):
            infer((number + repeat // 20) % THREADS, repeat)

    def warm(_: int) -> None:
        for which in range(THREADS):
            warm_up(which)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(warm, range(THREADS)))
        held, growths = live().get("device"), list[float]()
        while not growths or (growths[-1] > GROWTH_MIB and len(growths) < ROUNDS):
            before = rss_mib()
            list(pool.map(worker, range(THREADS)))
            growths.append(rss_mib() - before)
    assert not pieces or live()["device"] == held
    listed = ", ".join(f"{growth:+.2f}" for growth in growths)
    print(f"{count // THREADS * THREADS} inferences over {THREADS} threads: {listed} MiB")  # noqa: T201
    assert growths[-1] <= GROWTH_MIB, growths


def out_of_memory(onnx: str) -> None:
    message = r"Stand-in GPU has not enough free memory \(.*out of memory.*\); close what else uses it"
    with pipeline_of(onnx, slots=1) as (pipeline, _):
        small = pipeline.infer(picture(40, 50)).values
        limit_memory(2 * MIB)
        for _ in range(3):
            with refused(BackendUnavailable, message):
                pipeline.infer(picture(1500, 1500))
        assert_close(pipeline.infer(picture(40, 50)).values, small)
        fail("cuMemHostAlloc", OUT_OF_MEMORY)
        with refused(BackendUnavailable, message):
            pipeline.infer(picture(80, 100))
        assert_close(pipeline.infer(picture(40, 50)).values, small)
    fail("cuDevicePrimaryCtxRetain", OUT_OF_MEMORY)
    with refused(BackendUnavailable, message):
        Cuda()
    assert live() == {}


def failure_while_opening(onnx: str, function: str, code: str) -> None:
    network = HostNetwork(Path(onnx))
    for calls_before in range(2):
        fail(function, int(code), calls_before=calls_before)
        message = r"Stand-in GPU (refuses a CUDA call|has not enough free memory) \("
        with Cuda() as gpu, refused(BackendUnavailable, message):
            DevicePipeline(gpu, read_contract(onnx), network, slots=2)
        assert live() == {}


def lost(onnx: str, function: str) -> None:
    network = HostNetwork(Path(onnx))
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, read_contract(onnx), network)
    pipeline.infer(picture(40, 50))
    fail(function, LAUNCH_FAILED)
    with refused(BackendUnavailable, LOST):
        for _ in range(4):
            pipeline.infer(picture(40, 50))
    with refused(BackendUnavailable, LOST):
        pipeline.infer(picture(40, 50))
    with refused(BackendUnavailable, LOST):
        next(pipeline.stream([picture(40, 50)]))
    pipeline.close()
    gpu.close()
    with refused(BackendUnavailable, LOST):
        Stream(gpu)


def a_closed_pipeline_refuses_images(onnx: str) -> None:
    with pipeline_of(onnx) as (pipeline, _):
        pipeline.infer(picture(40, 50))
    for use in (
        lambda: pipeline.infer(picture(40, 50)),
        lambda: pipeline.infer_kept(picture(40, 50)),
        lambda: next(pipeline.stream([picture(40, 50)])),
    ):
        with refused(InputError, "this model is closed; load it again"):
            use()
    pipeline.close()


def a_failure_reaches_the_stream_that_it_belongs_to(onnx: str) -> None:
    """An image takes the only slot from a stream, whose own image fails; the stream gets the error later."""
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx, slots=1) as (pipeline, _):
        answers = pipeline.stream([picture(60, 90), picture(60, 90, 1), picture(60, 90, 2)])
        next(answers)
        ticket = pipeline._start(picture(60, 90, 1), "bgr")
        fail("cuEventSynchronize", NOT_SUPPORTED)
        image = picture(40, 50)
        assert_close(pipeline.infer(image).values, model.infer(image).values)
        with refused(BackendUnavailable, "Stand-in GPU refuses a CUDA call"):
            pipeline._collect(ticket)
        answers.close()
        assert_close(pipeline.infer(image).values, model.infer(image).values)


def each_fallback_is_noted_once(onnx: str) -> None:
    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), waiting(HostNetwork(Path(onnx))), slots=2) as pipeline:
        list(pipeline.stream([picture(40, 50)] * 8))
        (note,) = pipeline.notes
        assert all(slot.note == note for slot in pipeline._slots)
        assert "cannot be recorded as a CUDA graph" in note
    assert live() == {}


def a_network_that_fails_leaves_the_slot_usable(onnx: str) -> None:
    host, broken = HostNetwork(Path(onnx)), False

    def network(call: NetworkCall) -> None:
        host(call)
        if broken:
            raise ValueError("broken on purpose")

    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), network, slots=1) as pipeline:
        expected = pipeline.infer(picture(40, 50)).values
        broken = True
        for _ in range(3):
            with refused(ValueError, "broken on purpose"):
                pipeline.infer(picture(40, 50, 5))
        broken = False
        assert_close(pipeline.infer(picture(40, 50)).values, expected)
    assert live() == {}


def waiting(network: Network) -> Network:
    """Return a network that waits for the GPU, which a recording does not allow."""

    def waits(call: NetworkCall) -> None:
        network(call)
        driver().cuStreamSynchronize(ctypes.c_void_p(call.stream))

    return waits


def a_network_that_cannot_be_recorded(onnx: str) -> None:
    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), waiting(HostNetwork(Path(onnx))), slots=1) as pipeline:
        answers = [pipeline.infer(picture(40, 50)).values for _ in range(4)]
        assert all(np.array_equal(answer, answers[0]) for answer in answers)
        (note,) = pipeline.notes
        message = "cannot be recorded as a CUDA graph, so it is started step by step: .*previous error during"
        assert re.search(message, note)
    assert live() == {}


def a_graph_that_answers_otherwise(onnx: str) -> None:
    host = HostNetwork(Path(onnx))
    calls = []

    def forgets_when_recorded(call: NetworkCall) -> None:
        calls.append(call)
        if len(calls) != 3:
            host(call)

    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), forgets_when_recorded, slots=1) as pipeline:
        answers = [pipeline.infer(picture(40, 50, seed)).values for seed in range(4)]
        assert not np.array_equal(answers[2], answers[3])
        (note,) = pipeline.notes
        assert re.search("the recorded CUDA graph answers .* away from the network's own answer", note)
    assert live() == {}


def work_for_one_run_is_not_recorded(onnx: str) -> None:
    """A function on the host, or the memory of the host that is copied, may be for one run only."""
    host, function, once = HostNetwork(Path(onnx)), HOST_FUNCTION(lambda _: None), np.zeros(4, np.uint8)

    def runs_a_function(call: NetworkCall) -> None:
        host(call)
        assert driver().cuLaunchHostFunc(ctypes.c_void_p(call.stream), function, None) == 0

    def copies_from_the_host(call: NetworkCall) -> None:
        to, source = ctypes.c_uint64(call.output), ctypes.c_void_p(once.ctypes.data)
        assert driver().cuMemcpyHtoDAsync_v2(to, source, ctypes.c_size_t(4), ctypes.c_void_p(call.stream)) == 0
        host(call)

    for network, reason in [
        (runs_a_function, "it runs a function on the host, which may be for one run only"),
        (copies_from_the_host, "it copies memory of the host that may be gone in the next run"),
    ]:
        with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), network, slots=1) as pipeline:
            answers = [pipeline.infer(picture(40, 50)).values for _ in range(4)]
            assert all(np.array_equal(answer, answers[0]) for answer in answers)
            (note,) = pipeline.notes
            assert reason in note, note
        assert live() == {}


def the_collector_waits_for_a_recording(onnx: str) -> None:
    """Memory on the GPU that the garbage collector frees would end the recording."""
    host, calls = HostNetwork(Path(onnx)), []
    with Cuda() as gpu:
        forgotten = [Forgotten(gpu) for _ in range(2)]

        def forgets(call: NetworkCall) -> None:
            calls.append(call)
            host(call)
            if len(calls) == 3:
                forgotten.clear()
                make_collector_due()
                assert live()["device"] == 3  # the slot's memory, and both that are not collected yet

        with DevicePipeline(gpu, read_contract(onnx), forgets, slots=1) as pipeline:
            for _ in range(4):
                pipeline.infer(picture(40, 50))
            assert pipeline.notes == () and len(calls) == 3 and gc.isenabled()
            gc.collect()
            assert live()["device"] == 1
    assert live() == {}


def forked(onnx: str) -> None:
    network = HostNetwork(Path(onnx))
    gpu = Cuda()
    pipeline = DevicePipeline(gpu, read_contract(onnx), network)
    expected = pipeline.infer(picture(40, 50)).values
    stream = pipeline.stream([picture(40, 50)] * 5)
    next(stream)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with refused(BackendUnavailable, "was opened before this process was forked, and CUDA does not survive"):
                next(stream)
            pipeline._free.clear()  # threads of the parent had all slots, and give none back here
            with refused(BackendUnavailable, "was opened before this process was forked, and CUDA does not survive"):
                pipeline.infer(picture(40, 50))
            pipeline.close()
            gpu.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(stream)) == 4
    assert_close(pipeline.infer(picture(40, 50)).values, expected)
    pipeline.close()
    gpu.close()
    assert live() == {}


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
