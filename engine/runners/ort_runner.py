"""ONNX Runtime as a runner, on CUDA if its provider starts, else on the CPU."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendUnavailable, InputError
from ..modelfile.model_file import ModelFile
from ..terms import INPUT, OUTPUT, Device, Precision
from .ort_session import CPU, CUDA, cuda_options, find_providers, import_onnxruntime, open_session, run_options

if TYPE_CHECKING:
    from ..cuda.pipeline import DevicePipeline
    from .ort_on_gpu import OnGpu


class OrtRunner:
    """An ONNX Runtime session; `run` is safe from several threads. On a GPU it also takes whole images."""

    name = "onnxruntime"

    def __init__(self, file: ModelFile, *, device: Device, threads: int) -> None:
        path, contract = file.path, file.contract
        ort = import_onnxruntime()
        providers = find_providers(ort, device)
        if contract.precision == "bf16" and CUDA not in providers:
            raise BackendUnavailable(
                f"{path} is bf16, which ONNX Runtime does not compute on a CPU; build an engine of it, or export it "
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
                    partial(open_session, ort, path, threads),
                    options=run_options(ort),
                )
            except BackendUnavailable as error:
                notes.append(f"ONNX Runtime works without depthrt's kernels, so a CPU resizes the images: {error}")
        if self._gpu is None:
            options = cuda_options(contract.precision)
            asked = [(CUDA, options) if provider == CUDA else provider for provider in providers]
            self._session = open_session(ort, path, threads, asked)
        # What runs the graph, which can be another provider than the one that was asked for.
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
        self._notes = tuple(notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return every fallback and compromise so far, a sentence each."""
        return (*self._notes, *(self.pipeline.notes if self.pipeline is not None else ()))

    @property
    def pipeline(self) -> DevicePipeline | None:
        """Return the pipeline that takes images on a GPU, or None on a CPU."""
        return self._gpu.pipeline if self._gpu is not None else None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""
        if self._gpu is not None:
            return self._gpu.run(batch)
        session = self._session  # another thread may drop it
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
