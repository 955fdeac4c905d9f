"""ONNX Runtime as a runner: CUDA where it truly works, else the CPU, and it says which."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .contract import Contract, Precision
from .errors import BackendUnavailable, InputError, ModelFileError
from .runner import Device

if TYPE_CHECKING:
    from .cuda.pipeline import DevicePipeline
    from .ort_on_gpu import OnGpu, Providers

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
INPUT, OUTPUT = "image", "depth"  # tensor names of every graph that depthrt writes
_FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors reach the user as exceptions


class OrtRunner:
    """An ONNX Runtime session; `run` is safe from several threads. On a GPU it also takes whole images."""

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
        self._gpu: OnGpu | None = None
        self._session: Any = None
        notes = []
        if CUDA in providers:
            from .ort_on_gpu import OnGpu

            try:
                self._gpu = OnGpu(
                    contract,
                    partial(_open_session, ort, path, threads),
                    options=_asynchronous(ort),
                )
            except BackendUnavailable as error:
                notes.append(f"ONNX Runtime works without depthrt's kernels, so a CPU resizes the images: {error}")
        if self._gpu is None:
            asked = [(CUDA, cuda_options(contract.precision)) if one == CUDA else one for one in providers]
            self._session = _open_session(ort, path, threads, asked)
        # The truth, whatever was asked for.
        self.provider: str = self._gpu.provider if self._gpu is not None else self._session.get_providers()[0]
        if device == "cuda" and self.provider != CUDA:
            raise BackendUnavailable(
                "ONNX Runtime could not start its CUDA provider; `depthrt doctor` says why, device='cpu' works"
            )
        if CUDA in providers and self.provider != CUDA:
            notes = ["ONNX Runtime could not start its CUDA provider, so the CPU is used"]
        if self.provider == CPU and contract.precision in ("fp16", "fp16-safe"):
            notes.append(
                f"a CPU computes this {contract.precision} file in float32, slower than a file exported with "
                "--precision fp32"
            )
        self.notes: tuple[str, ...] = tuple(notes)

    @property
    def pipeline(self) -> DevicePipeline | None:
        """Return what takes whole images on a GPU, or None."""
        return self._gpu.pipeline if self._gpu is not None else None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""
        if self._gpu is not None:
            return self._gpu.run(batch)
        session = self._session  # which another thread may drop
        if session is None:
            raise InputError("this model is closed; load it again")
        (output,) = session.run([OUTPUT], {INPUT: batch})
        result: NDArray[np.float32] = output
        return result

    def free_batches(self) -> None:
        """Free the GPU memory that `run` keeps; the next call makes it again."""
        if self._gpu is not None:
            self._gpu.free_batches()

    def close(self) -> None:
        """Drop the session."""
        self._session = None
        if self._gpu is not None:
            self._gpu.close()


def cuda_options(precision: Precision) -> dict[str, str]:
    """Return the CUDA provider's options for a file of one precision.

    By default the provider computes float32 products in TF32, whose numbers are as short as those of float16. An fp32
    file must not: its result would be called fp32 and be less. A half file must: it has no float32 product to lose, and
    with use_tf32=0 the provider takes the tensor cores away from its half convolutions too.
    "HEURISTIC" takes cuDNN's first choice of a convolution. On an H200, with the tensor cores off, that took 4.0 ms,
    not 6.4 (ViT-S, fp16, 518x924), and 0.2 s, not 0.8, with the first image of a size.
    Source: ONNX Runtime, CUDA Execution Provider, use_tf32; core/providers/cuda/nn/conv_transpose.cc.
    """
    exact = precision in ("fp32", "int8")
    return {"use_tf32": "0" if exact else "1", "cudnn_conv_algo_search": "HEURISTIC"}


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


def _asynchronous(ort: ModuleType) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    """Return options of a run that does not wait for the GPU."""
    options = ort.RunOptions()
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    return options


def _open_session(ort: ModuleType, path: Path, threads: int, providers: Providers) -> Any:  # noqa: ANN401
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
