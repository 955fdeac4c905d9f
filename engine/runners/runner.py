"""The protocols of a runner, which holds a model file on a backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..modelfile.contract import Contract
from ..terms import Precision

if TYPE_CHECKING:
    from ..cuda.pipeline import DevicePipeline


@runtime_checkable
class Runner(Protocol):
    """A backend that holds a model file. `run` may be called from several threads."""

    name: str
    provider: str
    precision: Precision

    @property
    def notes(self) -> tuple[str, ...]:
        """Return every fallback and compromise so far, a sentence each."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""

    def close(self) -> None:
        """Free what the runner holds; it cannot run afterwards."""


@runtime_checkable
class SkyRunner(Runner, Protocol):
    """A runner that gives the network's value for the sky, too, of a file that has it."""

    def run_with_sky(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return depth and the value for the sky, each (N, h, w) float32, for inputs (N, 3, h, w) float32; blocks."""


@runtime_checkable
class ImageRunner(Runner, Protocol):
    """A runner whose device can resize images, and the depth back to their size."""

    @property
    def pipeline(self) -> DevicePipeline | None:
        """Return the pipeline that takes images, or None if the CPU has to resize them."""

    def free_batches(self) -> None:
        """Free the GPU memory that `run` keeps; whole images need none of it."""


@runtime_checkable
class EngineRunner(ImageRunner, Protocol):
    """A runner that holds a TensorRT engine."""

    contract: Contract  # its canary may have another size than that of the ONNX file
    plan_sha256: str
    tf32: bool  # whether float32 products may round their factors to the length of float16

    def takes(self, input_px: tuple[int, int]) -> bool:
        """Return whether the engine was built for inputs of (h, w)."""
