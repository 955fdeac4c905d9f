"""Another library on the stand-in GPU (standin_foreign.cpp): it puts images there and reads depth that stays there."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cuda_cases import assert_close, picture
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

ROUNDS = 5  # two runs step by step, then three as a graph


def make_default_stream(handle: int, stream: Stream) -> None:
    """Make a stream the default stream of a handle: 1 is the legacy one, 2 that of the thread."""
    driver().standin_default_stream(ctypes.c_void_p(handle), ctypes.c_void_p(stream.handle))


def move_to_other_gpu(address: int) -> None:
    """Move an address to GPU 1."""
    driver().standin_elsewhere(ctypes.c_ulonglong(address))


def peek(found: DeviceDepth) -> np.ndarray:
    """Return what another library reads without waiting; the memory of the stand-in GPU is memory of the host."""
    interface = found.__cuda_array_interface__
    assert (interface["typestr"], interface["version"], interface["stream"]) == ("<f4", 3, None)
    assert interface["strides"] is None
    return at_address(interface["data"][0], interface["shape"])


class NetworkRunner:
    """A runner whose network the host computes; everything around the network is the code under test."""

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
        raise AssertionError("the runner takes no batches")

    def free_batches(self) -> None:
        """Do nothing: there are no batches."""

    def close(self) -> None:
        self.pipeline.close()
        self.gpu.close()


class Producer:
    """Another library: puts images on the GPU on its stream, and does not wait."""

    def __init__(self, gpu: Cuda) -> None:
        self.gpu, self.stream = gpu, Stream(gpu)

    def put(self, image: np.ndarray, *, row_bytes: int = 0, **interface: object) -> ForeignArray:
        """Put an image on the GPU.

        Args:
            image: (H, W, 3) uint8.
            row_bytes: Distance from a row to the next; 0 for contiguous rows.
            interface: Keys of the interface to override.
        """
        height, width = image.shape[:2]
        rows = np.full((height, row_bytes or width * 3), 255, np.uint8)
        rows[:, : width * 3] = image.reshape(height, width * 3)
        pinned, memory = PinnedMemory(self.gpu, rows.size), DeviceMemory(self.gpu, rows.size)
        pinned.array[:] = rows.ravel()
        self.stream.upload(memory.address, pinned.array)
        strides = (row_bytes, 3, 1) if row_bytes else None
        return ForeignArray(
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
class ForeignArray:
    """An array of the other library, with an image on the GPU."""

    producer: Producer
    memory: DeviceMemory
    pinned: PinnedMemory
    __cuda_array_interface__: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> ForeignArray:
        return self

    def __exit__(self, *error: object) -> None:
        self.producer.stream.synchronize()
        self.memory.close()
        self.pinned.close()


@contextmanager
def both(onnx: str) -> Iterator[tuple[DepthModel, DepthModel, Producer]]:
    """Load a file on the CPU and on the stand-in GPU, and check that nothing is left on the GPU afterwards."""
    runner = NetworkRunner(onnx)
    assert isinstance(runner, ImageRunner)
    with (
        depthrt.load(onnx, device="cpu", threads=1) as cpu,
        DepthModel(runner, read_contract(onnx), limits=Limits()) as model,
    ):
        yield cpu, model, Producer(runner.gpu)
    assert live() == {}


def check_on_gpu(cpu: DepthModel, model: DepthModel) -> None:
    """Check that a model reads images on the GPU and leaves depth there, with its runner."""
    assert isinstance(model.runner, ImageRunner) and model.runner.pipeline is not None
    producer = Producer(model.runner.pipeline._gpu)
    for seed in range(ROUNDS):
        image = picture(90, 120, seed)
        with producer.put(image, row_bytes=400) as theirs, model.infer_on_device(theirs) as found:
            assert_close(peek(found), cpu.infer(image).values)
        assert found.provenance.runner == model.runner.name
        assert min(found.provenance.timings.preprocess_ms, found.provenance.timings.run_ms) > 0
    assert model.notes == ()
