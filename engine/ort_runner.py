"""ONNX Runtime as a runner: CUDA where it truly works, else the CPU, and it says which."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import Contract, Precision
from .errors import BackendUnavailable, InputError, ModelFileError
from .runner import Device

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
INPUT, OUTPUT = "image", "depth"  # tensor names of every graph that depthrt writes
_FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors reach the user as exceptions


class OrtRunner:
    """An ONNX Runtime session; `run` is safe from several threads."""

    name = "onnxruntime"

    def __init__(self, path: Path, contract: Contract, *, device: Device, threads: int) -> None:
        ort = import_onnxruntime()
        providers = _providers(ort, device)
        if contract.precision == "bf16" and CUDA not in providers:
            raise BackendUnavailable(
                f"{path} is bf16, in which ONNX Runtime does not compute on a CPU; build an engine of it, or export "
                "with --precision fp32"
            )
        self.precision: Precision = contract.precision
        self._session: Any = _open_session(ort, path, providers, threads)
        self.provider: str = self._session.get_providers()[0]  # the truth, whatever was asked for
        notes = []
        if device == "cuda" and self.provider != CUDA:
            raise BackendUnavailable(
                "ONNX Runtime could not start its CUDA provider; `depthrt doctor` says why, device='cpu' works"
            )
        if CUDA in providers and self.provider != CUDA:
            notes.append("ONNX Runtime could not start its CUDA provider, so the CPU is used")
        if self.provider == CPU and contract.precision in ("fp16", "fp16-safe"):
            notes.append(
                f"a CPU computes this {contract.precision} file in float32, slower than a file exported with "
                "--precision fp32"
            )
        self.notes: tuple[str, ...] = tuple(notes)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""
        if self._session is None:
            raise InputError("this model is closed; load it again")
        (output,) = self._session.run([OUTPUT], {INPUT: batch})
        result: NDArray[np.float32] = output
        return result

    def close(self) -> None:
        """Drop the session."""
        self._session = None


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime or name the extra that brings it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendUnavailable(
            f"onnxruntime cannot be imported ({error}); install it with: pip install 'depthrt[cpu]'"
        ) from error
    module: ModuleType = onnxruntime
    return module


def _providers(ort: ModuleType, device: Device) -> list[str]:
    """Return the providers to ask for, best first."""
    built_in = ort.get_available_providers()  # what was compiled in, usable or not
    if device == "cuda" and CUDA not in built_in:
        raise BackendUnavailable(
            "this onnxruntime has no CUDA provider; install it with: "
            "pip uninstall onnxruntime && pip install 'depthrt[gpu]', or use device='cpu'"
        )
    return [CUDA, CPU] if device != "cpu" and CUDA in built_in else [CPU]


def _open_session(ort: ModuleType, path: Path, providers: list[str], threads: int) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _FATAL_ONLY
    # Planned blocks come on top of what the arena has already: 70 MiB more for Depth Anything V2 Small, and no faster.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises its own classes and RuntimeError alike
        reason = " ".join(str(error).split())
        raise ModelFileError(f"ONNX Runtime refuses {path}: {reason}; export it again") from error
