"""Another library on the stand-in GPU (standin_foreign.cpp): it makes images there, and looks at depth that stays."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cuda_cases import assert_close, picture
from kernels_on_host import HERE, compile_library
from kernels_on_host import SOURCE as KERNELS
from standin import HostNetwork, at_address, driver, live

import depthrt
from depthrt import DepthModel
from depthrt.engine.cuda.device_depth import DeviceDepth
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory, PinnedMemory, Stream
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.images.limits import Limits
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.runner import ImageRunner
from depthrt.engine.terms import Precision

ROUNDS = 5  # twice as it is, then as a graph
SOURCE = HERE / "standin_foreign.cpp"


def compile_with_foreign(folder: Path) -> Path:
    """Compile libcuda.so.1 into a folder, with what another library needs."""
    return compile_library(folder / "libcuda.so.1", SOURCE, KERNELS, options=("-Wl,-soname,libcuda.so.1",))


def make_default_stream(handle: int, stream: Stream) -> None:
    """Make a stream what 1 (the legacy default stream) or 2 (that of the thread) means."""
    driver().standin_default_stream(ctypes.c_void_p(handle), ctypes.c_void_p(stream.handle))


def put_elsewhere(address: int) -> None:
    """Say that an address is on GPU 1."""
    driver().standin_elsewhere(ctypes.c_ulonglong(address))


def peek(found: DeviceDepth) -> np.ndarray:
    """Return what another library sees without waiting: the stand-in's device memory is the host's."""
    interface = found.__cuda_array_interface__
    assert (interface["typestr"], interface["version"], interface["stream"]) == ("<f4", 3, None)
    assert interface["strides"] is None
    return at_address(interface["data"][0], interface["shape"])


class NetworkRunner:
    """A runner whose network the host computes; all around it is true."""

    name = "stand-in"
    precision: Precision = "fp32"

    def __init__(self, onnx: str) -> None:
        self.gpu = Cuda()
        self.provider = self.gpu.name
        self.network = HostNetwork(Path(onnx))
        self.pipeline = DevicePipeline(self.gpu, read_contract(onnx), self.network)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.pipeline.notes

    def run(self, batch: np.ndarray) -> np.ndarray:
        raise AssertionError("no batch is made on the host")

    def free_batches(self) -> None:
        """Hold none."""

    def close(self) -> None:
        self.pipeline.close()
        self.gpu.close()


class Producer:
    """Another library: puts images on the GPU, on a stream of its own, and does not wait."""

    def __init__(self, gpu: Cuda) -> None:
        self.gpu, self.stream = gpu, Stream(gpu)

    def put(self, image: np.ndarray, *, row_bytes: int = 0, **interface: object) -> Theirs:
        """Put an image on the GPU, its rows some bytes apart; keys of its interface may be given."""
        height, width = image.shape[:2]
        rows = np.full((height, row_bytes or width * 3), 255, np.uint8)
        rows[:, : width * 3] = image.reshape(height, width * 3)
        pinned, memory = PinnedMemory(self.gpu, rows.size), DeviceMemory(self.gpu, rows.size)
        pinned.array[:] = rows.ravel()
        self.stream.upload(memory.address, pinned.array)
        strides = (row_bytes, 3, 1) if row_bytes else None
        return Theirs(
            self,
            memory,
            pinned,
            {
                "shape": image.shape,
                "typestr": "|u1",
                "data": (memory.address, False),
                "strides": strides,
                "stream": self.stream.handle,
                "version": 3,
                **interface,
            },
        )


@dataclass
class Theirs:
    """An array of the other library."""

    producer: Producer
    memory: DeviceMemory
    pinned: PinnedMemory
    __cuda_array_interface__: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Theirs:
        return self

    def __exit__(self, *error: object) -> None:
        self.producer.stream.synchronize()
        self.memory.close()
        self.pinned.close()


@contextmanager
def both(onnx: str) -> Iterator[tuple[DepthModel, DepthModel, Producer]]:
    """Load the file on the CPU and behind the pipeline, and see that nothing is left behind."""
    runner = NetworkRunner(onnx)
    assert isinstance(runner, ImageRunner)
    with (
        depthrt.load(onnx, device="cpu", threads=1) as cpu,
        DepthModel(runner, read_contract(onnx), limits=Limits()) as model,
    ):
        yield cpu, model, Producer(runner.gpu)
    assert live() == {}


def takes_and_leaves(cpu: DepthModel, model: DepthModel) -> None:
    """Read images where they lie and leave the depth there, in the runner that a model has."""
    assert isinstance(model.runner, ImageRunner) and model.runner.pipeline is not None
    producer = Producer(model.runner.pipeline._gpu)
    for seed in range(ROUNDS):
        image = picture(90, 120, seed)
        with producer.put(image, row_bytes=400) as theirs, model.infer_on_device(theirs) as found:
            assert_close(peek(found), cpu.infer(image).values)
        assert found.provenance.runner == model.runner.name
        assert min(found.provenance.timings.preprocess_ms, found.provenance.timings.run_ms) > 0
    assert model.notes == ()
