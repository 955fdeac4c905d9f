"""The work for one image: what is put on the stream, in which order and on which memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest
from made import CONTRACT
from made_resizes import with_kernels, without_kernels

from depthrt.engine.cuda.driver.calls import CallRefused
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import PinnedMemory, Stream
from depthrt.engine.cuda.kernels.kernels import ARGUMENTS, Launch
from depthrt.engine.cuda.network import Network, NetworkCall
from depthrt.engine.cuda.slot_memory import ALIGNMENT, Addresses, Shape, SlotMemory
from depthrt.engine.cuda.slot_work import SlotWork
from depthrt.engine.images.fit import Fit
from depthrt.engine.modelfile.contract import Contract

START = 1 << 20
STREAM = 0x51
FOREIGN = 1 << 30  # an address outside the slot's memory
IMAGE_PX = (20, 30)
FIT = Fit((28, 42), (28, 28), (0, 7))
PINNED = cast(PinnedMemory, object())
EVERYTHING = ["upload", "image_to_batch", "network", "depth_to_image", "download"]


class FakeMemory:
    """A slot's memory at a fixed address."""

    def at(self, shape: Shape) -> Addresses:
        return shape.addresses(START)

    def image(self, shape: Shape) -> np.ndarray:
        return np.zeros((*shape.image_px, 3), np.uint8)

    pinned = PINNED

    def values(self, shape: Shape) -> np.ndarray:
        return np.zeros(shape.image_px, np.float32)


@dataclass
class FakeGpu:
    """A GPU, a stream and a network in one: they note the work in the order in which it is put on the stream."""

    done: list[str] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    calls: list[NetworkCall] = field(default_factory=list)
    handle: int = STREAM
    is_current: bool = False

    @contextmanager
    def current(self) -> Iterator[None]:
        self.is_current = True
        yield
        self.is_current = False

    def upload(self, address: int, array: np.ndarray) -> None:
        assert array.nbytes == 3 * IMAGE_PX[0] * IMAGE_PX[1]
        self.done.append("upload")
        self.addresses.append(address)

    def download(self, array: np.ndarray, address: int) -> None:
        assert array.nbytes == 4 * IMAGE_PX[0] * IMAGE_PX[1]
        self.done.append("download")
        self.addresses.append(address)

    def launch(self, launch: Launch) -> None:
        self.done.append(launch.kernel)
        self.launches.append(launch)
        types = ARGUMENTS[launch.kernel].replace("6f", "ffffff")
        arguments = zip(types, launch.arguments, strict=True)
        self.addresses += [int(argument) for type_, argument in arguments if type_ == "P"]

    def record(self, work: Callable[[], None], *, host: PinnedMemory) -> Any:  # noqa: ANN401 (a graph of the driver)
        assert host is PINNED
        self.done.append("record")
        work()
        return "graph"

    def __call__(self, call: NetworkCall) -> None:
        assert self.is_current
        self.done.append("network")
        self.calls.append(call)
        self.addresses += [call.input, call.output]


def work_on(gpu: FakeGpu, network: Network | None = None, contract: Contract = CONTRACT) -> SlotWork:
    memory = cast(SlotMemory, FakeMemory())
    return SlotWork(cast(Cuda, gpu), contract, network or gpu, cast(Stream, gpu), memory)


def shape_of(*, image_on_gpu: bool = False, depth_on_gpu: bool = False) -> Shape:
    return Shape(IMAGE_PX, "bgr", FIT, image_on_gpu=image_on_gpu, depth_on_gpu=depth_on_gpu)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (shape_of(), EVERYTHING),
        (shape_of(image_on_gpu=True), EVERYTHING[2:]),
        (shape_of(depth_on_gpu=True), EVERYTHING[:3]),
        (shape_of(image_on_gpu=True, depth_on_gpu=True), ["network"]),
    ],
    ids=["host", "image", "depth", "both"],
)
def test_the_work_that_a_graph_may_hold_uses_only_the_slots_memory(shape: Shape, expected: list[str]) -> None:
    gpu = FakeGpu()
    work_on(gpu).run(shape)
    assert gpu.done == expected
    assert all(START <= address < START + shape.device_bytes for address in gpu.addresses)
    (call,) = gpu.calls
    at = shape.addresses(START)
    assert call == NetworkCall(at.batch, at.depth, FIT.input_px, STREAM)


def test_each_table_is_filled_for_its_axis() -> None:
    gpu, shape = FakeGpu(), shape_of()
    work_on(gpu).fill_tables(shape)
    at = shape.addresses(START)
    assert sorted((launch.kernel, launch.arguments[:2]) for launch in gpu.launches) == sorted(
        [
            *(("cubic_taps", (at.image_taps[axis], FIT.input_px[axis])) for axis in (0, 1)),
            *(("bilinear_taps", (at.depth_taps[axis], IMAGE_PX[axis])) for axis in (0, 1)),
        ]
    )


def test_the_contract_chooses_how_the_depth_is_resized() -> None:
    for rule, corners in (("bilinear_corners", 1), ("bilinear_centres", 0)):
        gpu = FakeGpu()
        work_on(gpu, contract=replace(CONTRACT, final_resize=rule)).fill_tables(shape_of())  # type: ignore[arg-type]
        assert {launch.arguments[-1] for launch in gpu.launches if launch.kernel == "bilinear_taps"} == {corners}


def test_the_contract_chooses_the_kernels() -> None:
    for contract in with_kernels(CONTRACT, CONTRACT.size):
        gpu, shape = FakeGpu(), shape_of()
        work = work_on(gpu, contract=contract)
        work.fill_tables(shape)
        work.run(shape)
        cubic, bicubic = contract.input_resize == "cubic", contract.final_resize == "bicubic"
        tables = {"cubic_taps" if cubic else "corner_taps", "depth_cubic_taps" if bicubic else "bilinear_taps"}
        to_batch = "image_to_batch" if cubic else "image_to_batch_bilinear"
        to_image = "depth_to_image_cubic" if bicubic else "depth_to_image"
        assert set(gpu.done[:4]) == tables and gpu.done[4:] == ["upload", to_batch, "network", to_image, "download"]
        at = shape.addresses(START)
        assert all(at.image <= address < at.end for address in gpu.addresses)


def test_resizes_without_kernels_are_never_launched() -> None:
    for contract, _ in without_kernels(CONTRACT, 28, 14):
        with pytest.raises(AssertionError, match="the runner asks before it opens a pipeline"):
            work_on(FakeGpu(), contract=contract)


def test_an_image_and_depth_outside_the_slot_are_read_and_written_where_they_are() -> None:
    gpu, shape = FakeGpu(), shape_of(image_on_gpu=True, depth_on_gpu=True)
    work = work_on(gpu)
    work.image_to_batch(shape, FOREIGN, 512)
    work.depth_to_image(shape, FOREIGN + ALIGNMENT)
    read, written = gpu.launches
    at = shape.addresses(START)
    assert read.arguments[:2] == (FOREIGN, 512) and read.arguments[6] == at.batch
    assert written.arguments[0] == at.depth and written.arguments[4] == FOREIGN + ALIGNMENT


def test_a_recording_holds_the_work_of_a_run() -> None:
    gpu = FakeGpu()
    assert work_on(gpu).record(shape_of()) == "graph"  # type: ignore[comparison-overlap]
    assert gpu.done == ["record", *EVERYTHING]


def test_a_network_that_cannot_be_recorded_is_asked_first() -> None:
    gpu = FakeGpu()

    class Unrecordable:
        def check_recordable(self, stream: int) -> None:
            assert stream == STREAM and gpu.is_current
            raise CallRefused("its work is not recordable")

        def __call__(self, call: NetworkCall) -> None:
            raise AssertionError("nothing is recorded")

    with pytest.raises(CallRefused, match="its work is not recordable"):
        work_on(gpu, Unrecordable()).record(shape_of())
    assert gpu.done == []
