"""The Runner protocol, the ways in which a file can be run here, and the opening of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .choice import Choice
from .contract import Contract, Precision
from .cores import usable_cores
from .errors import BackendUnavailable, InputError

if TYPE_CHECKING:
    from .cuda.pipeline import DevicePipeline

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@runtime_checkable
class Runner(Protocol):
    """One backend that holds one model file. `run` may be called from several threads."""

    name: str
    provider: str
    precision: Precision

    @property
    def notes(self) -> tuple[str, ...]:
        """Return every fallback and compromise so far, one sentence each."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""

    def close(self) -> None:
        """Free what the runner holds; it cannot run afterwards."""


@runtime_checkable
class ImageRunner(Runner, Protocol):
    """A runner that can take whole images: its device resizes them, and the depth back."""

    @property
    def pipeline(self) -> DevicePipeline | None:
        """Return what takes images, or None where the CPU has to resize them."""

    def free_batches(self) -> None:
        """Free the GPU memory that `run` keeps; whole images need none of it."""


@runtime_checkable
class EngineRunner(ImageRunner, Protocol):
    """A runner that holds a TensorRT engine."""

    contract: Contract  # its canary may be of another size than that of the ONNX file
    plan_sha256: str
    tf32: bool  # whether its float32 products may be of numbers as short as those of float16

    def takes(self, input_px: tuple[int, int]) -> bool:
        """Return whether the engine was built for inputs of (h, w)."""


def open_runner(
    path: Path, contract: Contract, *, device: Device, threads: int | None, choice: Choice | None = None
) -> Runner:
    """Open a model file: as `choice` says on a CPU, without one in ONNX Runtime at the file's own precision.

    Nothing is recalled and nothing is checked here: `open_trusted` does both.

    Raises:
        InputError: An unknown device or a thread count below one, or a choice for another device than the CPU.
        BackendUnavailable: The device or the choice was asked for by name and does not work here.
    """
    check_options(device, threads)
    if choice is None:
        from .ort_runner import OrtRunner

        return OrtRunner(path, contract, device=device, threads=threads or usable_cores())
    if device == "cuda":
        raise InputError(f"choice {choice} is for a CPU, device cuda was asked for; give one of the two")
    return _open_choice(path, contract, choice)


def check_options(device: Device, threads: int | None) -> None:
    """Raise InputError for an unknown device or a thread count below one."""
    if device not in DEVICES:
        raise InputError(f"device {device!r} found, expected one of {', '.join(DEVICES)}")
    if threads is not None and threads < 1:
        raise InputError(f"threads {threads} found, expected 1 or more")


def available_choices(contract: Contract, threads: int) -> tuple[Choice, ...]:
    """Return every way to run a file on this machine's CPU; the first is the default."""
    from .openvino_runner import cpu_precisions

    default = Choice("onnxruntime", contract.precision, threads)
    precisions = cpu_precisions()
    if contract.precision == "int8":  # which leaves some layers in float32; OpenVINO computes those in bf16 as well
        precisions = tuple("int8" if precision == "fp32" else precision for precision in precisions)
    return (default, *(Choice("openvino", precision, threads) for precision in precisions))


def _open_choice(path: Path, contract: Contract, choice: Choice) -> Runner:
    if choice.runner == "openvino":
        from .openvino_runner import OpenVinoRunner

        return OpenVinoRunner(path, contract, precision=choice.precision, threads=choice.threads)
    if choice.runner != "onnxruntime":
        raise InputError(f"runner {choice.runner!r} found, expected onnxruntime or openvino")
    if choice.precision != contract.precision:
        raise BackendUnavailable(
            f"ONNX Runtime runs {path} in its own precision, {contract.precision}; {choice.precision} was asked for"
        )
    from .ort_runner import OrtRunner

    return OrtRunner(path, contract, device="cpu", threads=choice.threads)
