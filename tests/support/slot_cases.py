"""Cases of slots, their memory, and batches on the stand-in GPU, a process a case: python slot_cases.py CASE."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from cuda_cases import MIB, NOT_SUPPORTED, OUT_OF_MEMORY, THREADS, picture, refused
from made import make_contract
from made_resizes import with_kernels
from standin import at_address, driver, fail, limit_memory, live

from depthrt.engine.cuda.device_image import DeviceImage
from depthrt.engine.cuda.driver.calls import CallRefused
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory, Stream
from depthrt.engine.cuda.host_batches import HostBatches
from depthrt.engine.cuda.network import NetworkCall
from depthrt.engine.cuda.slot import Slot
from depthrt.engine.cuda.slot_memory import ALIGNMENT, Shape, SlotMemory
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.fit import fit_image
from depthrt.engine.images.preprocess import Color, make_batch, to_image_size
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.size_rule import SizeRule

CONTRACT = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
SMALL_PX, LARGE_PX = (20, 30), (60, 90)
# Two cubic sums of 16 taps in float32 against float64 (test_kernels.py), and a bilinear or cubic one behind them.
TOLERANCE = 2e-5
_HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class FirstPlane:
    """A network whose output is the first plane of its input."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, call: NetworkCall) -> None:
        self.calls += 1
        n_bytes = ctypes.c_size_t(call.input_px[0] * call.input_px[1] * 4)
        to, start = ctypes.c_uint64(call.output), ctypes.c_uint64(call.input)
        assert driver().cuMemcpyDtoDAsync_v2(to, start, n_bytes, ctypes.c_void_p(call.stream)) == 0


class Unrecordable(FirstPlane):
    """The same, but it refuses to be recorded."""

    questions = 0

    def check_recordable(self, stream: int) -> None:
        self.questions += 1
        raise CallRefused(f"stream {stream:#x} is not recordable")


@contextmanager
def slot_of(network: FirstPlane, *, graphs: bool = True, contract: Contract = CONTRACT) -> Iterator[Slot]:
    """Open a slot, and check that nothing is left on the GPU afterwards."""
    with Cuda() as gpu:
        slot = Slot(gpu, contract, network, graphs=graphs)
        yield slot
        slot.close()
        slot.close()
        assert gpu.held == {}
    assert live() == {}


def expected_depth(image: np.ndarray, color: Color = "bgr", contract: Contract = CONTRACT) -> np.ndarray:
    """Return what FirstPlane gives for an image, computed on the CPU."""
    image_px = (image.shape[0], image.shape[1])
    fit = fit_image(contract.size, image_px)
    return to_image_size(make_batch(image, contract, fit, color)[0, 0], contract, fit, image_px)


def assert_near(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape and found.dtype == np.float32
    difference = float(np.abs(found - expected).max())
    assert difference <= TOLERANCE, difference


def run(slot: Slot, image: np.ndarray, color: Color = "bgr") -> np.ndarray:
    slot.start(image, color=color)
    return slot.finish().values


# slot.py


def the_third_image_of_a_shape_runs_as_a_graph() -> None:
    network = FirstPlane()
    with slot_of(network) as slot:
        for number in range(5):
            image = picture(*SMALL_PX, number)
            assert_near(run(slot, image), expected_depth(image))
            assert (network.calls, live().get("graph", 0)) == ((number + 1, 0) if number == 0 else (3, 1))
        assert slot.note == ""


def every_resize_that_has_kernels_answers_as_the_cpu() -> None:
    for rule in (SizeRule((28, 42), 14, "minimal"), SizeRule((28, 42), 14, "letterbox")):
        for contract in with_kernels(CONTRACT, rule):
            network = FirstPlane()
            with slot_of(network, contract=contract) as slot:
                for number in range(4):  # two runs step by step, then two as a graph
                    image = picture(*SMALL_PX, number)
                    assert_near(run(slot, image), expected_depth(image, contract=contract))
                assert network.calls == 3 and slot.note == ""
                slot.start(image, color="rgb", keep=True)
                kept = slot.finish_kept()
                assert_near(at_address(kept.memory.address, SMALL_PX), expected_depth(image, "rgb", contract))
                kept.memory.close()


def another_shape_drops_the_graph() -> None:
    network = FirstPlane()
    small, large = picture(*SMALL_PX), picture(*LARGE_PX)
    with slot_of(network) as slot:
        colors: list[Color] = ["bgr", "bgr", "bgr", "rgb", "rgb"]  # another order of channels is another shape
        for image in (small, large, small):
            for color in colors:
                assert_near(run(slot, image, color), expected_depth(image, color))
            assert live()["graph"] == 1 and live()["device"] == live()["pinned"] == 1
        assert network.calls == 3 * 6
        run(slot, large)
        assert "graph" not in live()


def without_graphs_every_image_calls_the_network() -> None:
    network = FirstPlane()
    with slot_of(network, graphs=False) as slot:
        for number in range(4):
            run(slot, picture(*SMALL_PX, number))
        assert network.calls == 4 and "graph" not in live() and slot.note == ""


def a_network_that_refuses_to_be_recorded_gets_no_graph() -> None:
    network = Unrecordable()
    with slot_of(network) as slot:
        for image_px in (SMALL_PX, LARGE_PX):
            for number in range(4):
                image = picture(*image_px, number)
                assert_near(run(slot, image), expected_depth(image))
        assert (network.calls, network.questions) == (8, 1) and "graph" not in live()
        assert re.search("so it is started step by step: .*stream 0x.* is not recordable", slot.note)


def a_graph_that_leaves_the_network_out_is_not_used() -> None:
    class Forgets(FirstPlane):
        def __call__(self, call: NetworkCall) -> None:
            if self.calls == 2:
                self.calls += 1
            else:
                super().__call__(call)

    for keep in (False, True):
        with slot_of(Forgets()) as slot:
            image = picture(*SMALL_PX)
            for _ in range(2):
                slot.start(image, color="bgr", keep=keep)
                if keep:
                    slot.finish_kept().memory.close()
                else:
                    slot.finish()
            assert "the recorded CUDA graph answers nan away from the network's own answer" in slot.note
            assert "graph" not in live()
            assert_near(run(slot, image), expected_depth(image))


def a_graph_that_does_not_start_is_freed() -> None:
    network = FirstPlane()
    with slot_of(network) as slot:
        fail("cuGraphLaunch", NOT_SUPPORTED)
        for number in range(4):
            image = picture(*SMALL_PX, number)
            assert_near(run(slot, image), expected_depth(image))
        assert network.calls == 5 and "graph" not in live()
        assert "cannot be recorded as a CUDA graph" in slot.note


def a_slot_is_done_when_its_image_is() -> None:
    with slot_of(FirstPlane()) as slot:
        slot.start(picture(*SMALL_PX), color="bgr")
        assert not slot.done  # the stand-in is lazy: nothing runs before somebody waits
        slot._stream.synchronize()
        assert slot.done
        slot.finish()
    assert slot.done


def an_image_may_change_after_start() -> None:
    image = picture(*SMALL_PX)
    expected = expected_depth(image)
    with slot_of(FirstPlane()) as slot:
        slot.start(image, color="bgr")
        image[:] = 0
        assert_near(slot.finish().values, expected)


def an_answer_is_the_callers_own() -> None:
    with slot_of(FirstPlane()) as slot:
        image = picture(*SMALL_PX)
        found = run(slot, image)
        run(slot, picture(*SMALL_PX, 1))
        assert_near(found, expected_depth(image))


def an_image_that_nobody_finished_is_replaced() -> None:
    with slot_of(FirstPlane()) as slot:
        slot.start(picture(*LARGE_PX), color="bgr", keep=True)
        assert live()["device"] == 2
        image = picture(*SMALL_PX)
        slot.start(image, color="bgr")
        assert live()["device"] == 1  # the depth that nobody took is freed
        assert_near(slot.finish().values, expected_depth(image))
        slot.start(image, color="bgr")  # close() waits for it


def an_image_on_the_gpu_is_read_where_it_is() -> None:
    network = FirstPlane()
    with slot_of(network) as slot:
        gpu = slot._gpu
        for number in range(4):
            image = picture(*SMALL_PX, number)
            row_bytes = 3 * SMALL_PX[1] + 5 * number
            with DeviceMemory(gpu, SMALL_PX[0] * row_bytes) as memory:
                rows = at_address(memory.address, (SMALL_PX[0] * row_bytes // 4,)).view(np.uint8)
                rows.reshape(SMALL_PX[0], row_bytes)[:, : 3 * SMALL_PX[1]] = image.reshape(SMALL_PX[0], -1)
                slot.start(DeviceImage(memory.address, SMALL_PX, row_bytes, None, rows), color="bgr")
                assert_near(slot.finish().values, expected_depth(image))
            assert slot._source is None  # the other library's array is not kept longer than needed
        assert network.calls == 3 and slot.note == ""


def depth_may_stay_on_the_gpu() -> None:
    network = FirstPlane()
    with slot_of(network) as slot:
        kept = []
        images = [picture(*SMALL_PX, number) for number in range(4)]
        for image in images:
            slot.start(image, color="bgr", keep=True)
            kept.append(slot.finish_kept())
        assert network.calls == 3 and slot.note == "" and live()["device"] == 1 + len(kept)
        for answer, image in zip(kept, images, strict=True):
            assert_near(at_address(answer.memory.address, SMALL_PX), expected_depth(image))
            assert answer.fit == fit_image(CONTRACT.size, SMALL_PX)
            assert answer.timings.run_ms > 0 and answer.timings.postprocess_ms == 0
            answer.memory.close()


def a_failure_leaves_the_slot_usable() -> None:
    image = picture(*SMALL_PX)
    with slot_of(FirstPlane()) as slot:
        for function, calls_before in [("cuLaunchKernel", 2), ("cuMemcpyHtoDAsync_v2", 0), ("cuEventSynchronize", 0)]:
            fail(function, NOT_SUPPORTED, calls_before=calls_before)
            with refused(BackendUnavailable, "Stand-in GPU refuses a CUDA call"):
                for _ in range(4):
                    run(slot, picture(*LARGE_PX))
            assert_near(run(slot, image), expected_depth(image))
        fail("cuMemHostAlloc", OUT_OF_MEMORY)
        with refused(BackendUnavailable, "Stand-in GPU has not enough free memory"):
            run(slot, picture(300, 300))
        assert_near(run(slot, image), expected_depth(image))


def a_closed_slot_refuses_images() -> None:
    with slot_of(FirstPlane()) as slot:
        slot.start(picture(*SMALL_PX), color="bgr")
    for use in (lambda: slot.start(picture(*SMALL_PX), color="bgr"), slot.finish, slot.finish_kept):
        with refused(InputError, "this model is closed; load it again"):
            use()


def a_given_stream_stays_open() -> None:
    with Cuda() as gpu, Stream(gpu) as stream:
        streams: list[int] = []

        class Noted(FirstPlane):
            def __call__(self, call: NetworkCall) -> None:
                streams.append(call.stream)
                super().__call__(call)

        slot = Slot(gpu, CONTRACT, Noted(), graphs=True, stream=stream)
        run(slot, picture(*SMALL_PX))
        slot.close()
        assert streams == [stream.handle] and not stream.closed
    assert live() == {}


# slot_memory.py


def memory_grows_and_is_kept() -> None:
    small, large = (Shape(px, "bgr", fit_image(CONTRACT.size, px)) for px in (SMALL_PX, LARGE_PX))
    with Cuda() as gpu:
        memory = SlotMemory(gpu)
        memory.reserve(small)
        memory.reserve(large)
        assert memory.image(large).shape == (*LARGE_PX, 3) and memory.values(large).shape == LARGE_PX
        at = memory.at(large)
        memory.reserve(small)
        assert (live()["device"], live()["pinned"]) == (1, 1) and memory.at(small).image == at.image
        image, values = memory.image(small), memory.values(small)
        assert image.shape == (*SMALL_PX, 3) and image.dtype == np.uint8
        assert values.shape == SMALL_PX and values.dtype == np.float32
        image[:], values[:] = 7, 0.5
        assert (image == 7).all() and not np.shares_memory(image, values)
        memory.close()
        memory.close()
        assert "device" not in live() and "pinned" not in live()
    assert live() == {}


def memory_that_is_short_leaves_room_for_smaller_images() -> None:
    small, large = (Shape(px, "bgr", fit_image(CONTRACT.size, px)) for px in (SMALL_PX, (900, 900)))
    with Cuda() as gpu:
        memory = SlotMemory(gpu)
        memory.reserve(small)
        limit_memory(MIB)
        with refused(BackendUnavailable, "Stand-in GPU has not enough free memory"):
            memory.reserve(large)
        assert "device" not in live()  # the smaller memory was freed first, so that both need not fit
        memory.reserve(small)
        memory.close()
    assert live() == {}


# host_batches.py


@dataclass
class MeanOfBatch:
    """A network for several images at once: each output is the mean of the image's planes."""

    batch: tuple[int, int]
    checked: list[tuple[int, ...]] = field(default_factory=list)
    started: list[tuple[int, ...]] = field(default_factory=list)
    inputs: list[np.ndarray] = field(default_factory=list)
    streams: set[int] = field(default_factory=set)
    forgotten: list[int] = field(default_factory=list)
    functions: list[object] = field(default_factory=list)  # C keeps no reference to them

    def check_shape(self, shape: tuple[int, ...]) -> None:
        self.checked.append(shape)
        if shape[3] > 40:
            raise InputError("too wide")

    def start(self, *, shape: tuple[int, ...], input: int, outputs: Sequence[int], stream: int) -> None:
        def compute(_: int) -> None:
            self.inputs.append(at_address(input, shape).copy())
            answers = self.inputs[-1].mean(1), self.inputs[-1].max(1)
            for output, answer in zip(outputs, answers, strict=False):
                at_address(output, answer.shape)[:] = answer

        assert live()["pushed"] == 1 and all((output - input) % ALIGNMENT == 0 for output in outputs)
        self.started.append(shape)
        self.streams.add(stream)
        self.functions.append(_HOST_FUNCTION(compute))
        assert driver().cuLaunchHostFunc(ctypes.c_void_p(stream), self.functions[-1], None) == 0

    def forget(self, stream: int) -> None:
        self.forgotten.append(stream)


def batch_of(count: int, height: int = 14, width: int = 28) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, 3, height, width)).astype(np.float32)


def assert_means(found: np.ndarray, batch: np.ndarray) -> None:
    assert found.dtype == np.float32 and np.array_equal(found, batch.mean(1))


def batches_are_split_and_filled_up() -> None:
    with Cuda() as gpu:
        network = MeanOfBatch((2, 4))
        batches = HostBatches(gpu, network)
        for count, parts in [(1, [2]), (2, [2]), (4, [4]), (5, [4, 2]), (9, [4, 4, 2])]:
            network.started.clear()
            assert_means(batches.run(batch_of(count)), batch_of(count))
            assert network.started == [(part, 3, 14, 28) for part in parts]
            whole = np.concatenate(network.inputs[-len(parts) :])
            assert np.array_equal(whole[:count], batch_of(count))
            assert all(np.array_equal(image, whole[count - 1]) for image in whole[count:])
        assert network.checked[-1] == network.started[-1]
        batches.close()
    assert live() == {}


def every_output_of_a_batch_comes_back() -> None:
    with Cuda() as gpu:
        batches, batch = HostBatches(gpu, MeanOfBatch((1, 4)), outputs=2), batch_of(5)
        mean, largest = batches.run_all(batch)
        assert_means(mean, batch)
        assert np.array_equal(largest, batch.max(1))
        assert_means(batches.run(batch), batch)
        batches.close()
    assert live() == {}


def batches_keep_memory_and_stream() -> None:
    with Cuda() as gpu:
        network = MeanOfBatch((1, 4))
        batches = HostBatches(gpu, network)
        assert gpu.held == {}  # nothing is made before the first batch
        for count, height in [(4, 28), (1, 14), (4, 14), (4, 70), (2, 14), (4, 56)]:
            batch = batch_of(count, height)
            assert_means(batches.run(batch), batch)
            assert (live()["device"], live()["pinned"], live()["stream"]) == (1, 1, 1)
            if height == 70:
                limit_memory(1)  # no later batch may allocate
        limit_memory(MIB)
        (stream,) = network.streams
        batches.free()
        assert network.forgotten == [stream] and gpu.held == {}
        assert_means(batches.run(batch), batch)
        batches.close()
        assert len(network.forgotten) == 2 and gpu.held == {}
        with refused(InputError, "this model is closed; load it again"):
            batches.run(batch)
        batches.close()
    assert live() == {}


def a_batch_that_fails_leaves_the_next_one_right() -> None:
    with Cuda() as gpu:
        batches = HostBatches(gpu, MeanOfBatch((1, 4)))
        with refused(InputError, "too wide"):
            batches.run(batch_of(2, 14, 42))
        assert gpu.held == {}  # refused before memory was allocated
        functions = ("cuMemcpyHtoDAsync_v2", "cuLaunchHostFunc", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize")
        for number, function in enumerate(functions):
            fail(function, NOT_SUPPORTED)
            kind = AssertionError if function == "cuLaunchHostFunc" else BackendUnavailable
            with refused(kind, ""):
                batches.run(batch_of(3))
            larger = batch_of(4, 14 + 14 * number)  # memory that earlier work may still use is freed
            assert_means(batches.run(larger), larger)
        limit_memory(MIB)
        for _ in range(2):
            with refused(BackendUnavailable, "Stand-in GPU has not enough free memory"):
                batches.run(batch_of(4, 4000, 14))
        assert_means(batches.run(batch_of(2)), batch_of(2))
        batches.close()
    assert live() == {}


def batches_on_a_given_stream_leave_it_open() -> None:
    with Cuda() as gpu, Stream(gpu) as stream:
        network = MeanOfBatch((1, 4))
        batches = HostBatches(gpu, network, stream=stream)
        for _ in range(2):
            assert_means(batches.run(batch_of(2)), batch_of(2))
            batches.free()
        batches.close()
        assert network.streams == {stream.handle} == set(network.forgotten) and not stream.closed
    assert live() == {}


def batches_of_many_threads_do_not_mix() -> None:
    def check(number: int) -> None:
        batch = batch_of(1 + number % 5, 14 + 14 * (number % 3))
        assert_means(batches.run(batch), batch)

    with Cuda() as gpu:
        batches = HostBatches(gpu, MeanOfBatch((1, 2)))
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(check, range(200)))
        assert (live()["device"], live()["pinned"], live()["stream"]) == (1, 1, 1)
        batches.close()
    assert live() == {}


def an_answer_to_a_batch_is_the_callers_own() -> None:
    with Cuda() as gpu:
        batches = HostBatches(gpu, MeanOfBatch((1, 4)))
        found = batches.run(batch_of(2))
        batches.run(-batch_of(2))
        assert_means(found, batch_of(2))
        batches.close()
    assert live() == {}


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
