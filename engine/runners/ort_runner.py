"""ONNX Runtime as a runner, on CUDA if its provider starts, else on the CPU."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendUnavailable, InputError, ModelFileError
from ..modelfile.model_file import ModelFile, as_model_file
from ..system.closable import never_destroy, tell_of_forks
from ..system.machine import lacks_vnni
from ..terms import INPUT, OUTPUT, SKY, Device, Precision
from .calls import calling
from .ort_session import (
    CPU,
    CUDA,
    cuda_options,
    find_providers,
    first_run_options,
    import_onnxruntime,
    open_session,
    run_options,
)

if TYPE_CHECKING:
    from ..cuda.pipeline import DevicePipeline
    from .ort_on_gpu import OnGpu

NO_VNNI = (
    "this CPU has no VNNI, so ONNX Runtime computes int8 with slower instructions and OpenVINO cannot; a file exported "
    "with --precision fp32 may be faster here"
)


class OrtRunner:
    """An ONNX Runtime session; `run` is safe from several threads. On a GPU it also takes whole images.

    A child that is forked opens a session anew when it runs: the inherited one waits for threads that were not forked.
    """

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
        self._closed = False
        self._opening = Lock()
        notes = []
        if CUDA in providers:
            from ..cuda.kernels.resizes import host_note
            from .ort_on_gpu import OnGpu

            try:
                self._gpu = OnGpu(
                    contract,
                    partial(open_session, ort, path, threads),
                    options=run_options(ort),
                )
            except BackendUnavailable as error:
                notes.append(f"ONNX Runtime works without depthrt's kernels, so a CPU resizes the images: {error}")
            else:
                notes.extend(filter(None, (host_note(contract),)))
        if self._gpu is None:
            options = cuda_options(contract.precision)
            asked = [(CUDA, options) if provider == CUDA else provider for provider in providers]
            self._open = partial(open_session, ort, path.absolute(), threads, asked)
            self._session = self._open()
        self._first: Any = first_run_options(ort)  # until the first run took them
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
        if self.provider == CPU and contract.precision == "int8" and lacks_vnni():
            notes.append(NO_VNNI)
        self._notes = tuple(notes)
        # A daemon changes its folder between the fork and the first run.
        self._file = replace(file, path=path.absolute())
        tell_of_forks(self)

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
        (output,) = self._outputs(batch, OUTPUT)
        return output

    def run_with_sky(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return depth and the value for the sky, each (N, h, w) float32, of a file that has it; blocks."""
        if self._gpu is not None:
            return self._gpu.run_with_sky(batch)
        depth, sky = self._outputs(batch, OUTPUT, SKY)
        return depth, sky

    def _outputs(self, batch: NDArray[np.float32], *names: str) -> list[NDArray[np.float32]]:
        """Return outputs of the graph by name, on the CPU."""
        session = self._session or self._open_again()  # another thread may drop it
        options, self._first = self._first, None
        with calling("ONNX Runtime", f"cannot run an input of {batch.shape} through", self._file.path):
            found: list[NDArray[np.float32]] = session.run(names, {INPUT: batch}, options)
        return found

    def free_batches(self) -> None:
        """Free the GPU memory that `run` keeps; the next call makes it again."""
        if self._gpu is not None:
            self._gpu.free_batches()

    def close(self) -> None:
        """Drop the session."""
        self._closed = True
        self._session = None
        if self._gpu is not None:
            self._gpu.close()

    def after_fork(self) -> None:
        """Let go of the session that a forked child inherits; one on a GPU is let go by its GPU."""
        never_destroy(self._session)
        self._session = None
        self._opening = Lock()

    def _open_again(self) -> Any:  # noqa: ANN401 (onnxruntime has no types)
        """Return a session in a forked child, which has let go of the one that it inherited."""
        with self._opening:
            if self._closed:
                raise InputError("this model is closed; load it again")
            if self._session is None:
                if self.provider != CPU:
                    raise BackendUnavailable(
                        "this model was loaded on a GPU before this process was forked, and CUDA does not survive a "
                        "fork; start processes with the 'spawn' method, or load models only in the child processes"
                    )
                file = self._file
                if as_model_file(file.path, file.contract).identity != file.identity:
                    raise ModelFileError(f"{file.path} has changed since this model was loaded; load it again")
                self._session = self._open()
            return self._session
