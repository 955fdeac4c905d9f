"""What test_cuda.py runs on the stand-in GPU, a process a case: python cuda_cases.py CASE [ARGUMENT ...]."""

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
from standin import HostNetwork, driver, fail, limit_memory, live

import depthrt
from depthrt.engine.cuda.driver.driver import DriverFault
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory, Event, PinnedMemory, Stream
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.cuda.slot import NetworkCall
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.preprocess import Color
from depthrt.engine.modelfile.contract import read_contract

# Inputs differ by 1e-5 at most (test_kernels.py), and a tiny random network amplifies that.
DEPTH_TOLERANCE = 1e-4
OUT_OF_MEMORY, LAUNCH_FAILED = 2, 719  # Source: CUDA driver API, CUresult
MIB = 1 << 20
GROWTH_MIB = 5.0
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
    """Open a pipeline, and see that it leaves nothing behind."""
    network = HostNetwork(Path(onnx))
    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), network, slots=slots, graphs=graphs) as pipeline:
        yield pipeline, network
    assert live() == {}


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    difference = np.abs(found - expected).max() / max(np.ptp(expected), np.abs(expected).max())
    assert difference <= DEPTH_TOLERANCE, difference


def copies_in_order() -> None:
    with Cuda() as gpu:
        stream, device = Stream(gpu), DeviceMemory(gpu, 1000)
        source, target, first, last = PinnedMemory(gpu, 1000), PinnedMemory(gpu, 1000), Event(gpu), Event(gpu)
        source.array[:] = np.arange(1000) % 251
        first.mark(stream)
        stream.upload(device.address, source.array)
        stream.download(target.array, device.address)
        last.mark(stream)
        assert not last.passed  # the stand-in is lazy, so a test that forgets to wait fails
        last.synchronize()
        assert last.passed and last.ms_since(first) >= 0
        assert np.array_equal(source.array, target.array)
        graph = stream.record(lambda: stream.upload(device.address, source.array))
        source.array[:] = 7
        for one in (graph, graph):
            one.launch(stream)
        stream.download(target.array, device.address)
        stream.synchronize()
        assert (target.array == 7).all()
        assert live()["device"] == 1 and live()["context"] == 1
        device.close()
        device.close()
        assert "device" not in live()
        kept = PinnedMemory(gpu, 10)
    assert live() == {}
    with refused(BackendUnavailable, "Stand-in GPU was closed here; load the model again"):
        stream.synchronize()
    kept.close()


def leaves_the_threads_own_context_alone() -> None:
    found = [Cuda(), Cuda()]
    with found[0].current(), found[1].current(), found[0].current():
        assert live()["pushed"] == 1  # pycuda keeps one of its own on the driver's stack
    with ThreadPoolExecutor(1) as other:
        other.submit(found[0].close).result()
    Stream(found[1]).synchronize()
    found[1].close()
    assert live() == {}


def forgotten_gpus_free_themselves() -> None:
    def forget() -> None:
        stream = Stream(Cuda())
        stream.synchronize()

    with ThreadPoolExecutor(1) as other:
        other.submit(forget).result()
    gc.collect()
    assert live() == {}


def exits_cleanly_without_close() -> None:
    globals()["kept"] = [PinnedMemory(Cuda(), 100)]


def answers_like_the_cpu(onnx: str) -> None:
    wide = picture(96, 260)[:, 30:190]  # rows lie apart
    images = [(picture(90, 120), "bgr"), (picture(90, 120, 1), "rgb"), (wide, "bgr"), (picture(1, 1), "bgr")]
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx) as (pipeline, network):
        for image, named in images:
            color: Color = "rgb" if named == "rgb" else "bgr"
            expected = model.infer(image, color=color).values
            for _ in range(4):  # twice as it is, then as a graph
                answer = pipeline.infer(image, color=color)
                assert_close(answer.values, expected)
                assert answer.timings.run_ms > 0
        assert network.calls == 3 * len(images)  # twice as it is, once to record
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
                if repeat:  # takes a slot that the stream holds
                    assert_close(pipeline.infer(images[0]).values, expected[0])
            assert number == len(images) - 1
        unread = pipeline.stream(iter(images))
        assert_close(next(unread).values, expected[0])
        for _ in range(2):
            streams = zip(pipeline.stream(images), pipeline.stream(images), strict=True)
            for number, (one, other) in enumerate(streams):
                assert_close(one.values, expected[number])
                assert_close(other.values, expected[number])
        unread.close()
        assert_close(pipeline.infer(images[1]).values, expected[1])


def a_stream_gives_what_came_before_a_refusal(onnx: str) -> None:
    images = [picture(60, 90, number) for number in range(2)]
    with depthrt.load(onnx, device="cpu", threads=1) as model, pipeline_of(onnx) as (pipeline, network):
        expected = [model.infer(image).values for image in images]

        def wide_alone(call: NetworkCall) -> None:
            if call.input_px[0] > call.input_px[1]:
                raise InputError("too tall")
            network(call)

        for slot in pipeline._slots:
            slot._network = wide_alone
        answers = pipeline.stream([*images, picture(90, 60)])
        for values in expected:
            assert_close(next(answers).values, values)
        with refused(InputError, "too tall"):
            next(answers)


def auto_says_why_not(onnx: str) -> None:
    logging.disable(logging.WARNING)  # which is said on stderr, too
    with depthrt.load(onnx, device="auto") as model:
        notes = model.infer(picture(60, 90)).provenance.notes
    assert [note for note in notes if re.search("cuInit answers 803; .*; the CPU is used", note)], notes


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
    """Infer over several threads, each image in each of them, and hold the growth of the process.

    The allocator takes a few MiB more whenever threads first meet in a new order, and then no more; a leak grows
    by as much every time. So what grew is looked at again, and must stand still in one of a few rounds.

    Args:
        count: Of inferences in a round.
        warm_up: Takes the number of an image; all threads do it for all images before memory is looked at.
        infer: Takes the number of an image and the repeat, and checks the answer.
        pieces: Whether as many pieces of device memory must be there afterwards as before.
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
    said = ", ".join(f"{growth:+.2f}" for growth in growths)
    print(f"{count // THREADS * THREADS} inferences over {THREADS} threads: {said} MiB")  # noqa: T201
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


def closed(onnx: str) -> None:
    with pipeline_of(onnx) as (pipeline, _):
        pipeline.infer(picture(40, 50))
    with refused(InputError, "this model is closed; load it again"):
        pipeline.infer(picture(40, 50))


def a_network_that_fails_leaves_the_slot_usable(onnx: str) -> None:
    with pipeline_of(onnx, slots=1) as (pipeline, network):
        expected = pipeline.infer(picture(40, 50)).values

        def broken(call: NetworkCall) -> None:
            network(call)
            raise ValueError("broken on purpose")

        slot = pipeline._slots[0]
        slot._network = broken
        for _ in range(3):
            with refused(ValueError, "broken on purpose"):
                pipeline.infer(picture(40, 50, 5))
        slot._network = network
        assert_close(pipeline.infer(picture(40, 50)).values, expected)


def a_network_that_cannot_be_recorded(onnx: str) -> None:
    host = HostNetwork(Path(onnx))

    def waits(call: NetworkCall) -> None:
        host(call)
        driver().cuStreamSynchronize(ctypes.c_void_p(call.stream))

    with Cuda() as gpu, DevicePipeline(gpu, read_contract(onnx), waits, slots=1) as pipeline:
        answers = [pipeline.infer(picture(40, 50)).values for _ in range(4)]
        assert all(np.array_equal(answer, answers[0]) for answer in answers)
        (note,) = pipeline.notes
        assert re.search("cannot be recorded as a CUDA graph, so it is started anew: .*previous error during", note)
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


def the_collector_waits_for_a_recording(onnx: str) -> None:
    """What it frees on the GPU would end it."""
    host, calls = HostNetwork(Path(onnx)), []
    with Cuda() as gpu:
        forgotten = [Forgotten(gpu) for _ in range(2)]

        def forgets(call: NetworkCall) -> None:
            calls.append(call)
            host(call)
            if len(calls) == 3:
                forgotten.clear()
                make_collector_due()
                assert live()["device"] == 3  # with the slot's

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
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with refused(BackendUnavailable, "was opened before this process was forked, and CUDA does not survive"):
                pipeline.infer(picture(40, 50))
            pipeline.close()
            gpu.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert_close(pipeline.infer(picture(40, 50)).values, expected)
    pipeline.close()
    gpu.close()
    assert live() == {}


def cannot_start(message: str) -> None:
    cannot_open(message, DriverFault)


def cannot_open(message: str, kind: type[Exception] = BackendUnavailable) -> None:
    with refused(kind, message):
        Cuda()
    assert live() == {}


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
