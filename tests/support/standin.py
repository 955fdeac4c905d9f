"""The stand-in GPU (standin_cuda.cpp): compiled here, asked and told things, and a network that runs on it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from kernels_on_host import HERE, compile_library
from kernels_on_host import SOURCE as KERNELS

from depthrt.engine.cuda.slot import NetworkCall
from depthrt.engine.terms import INPUT, OUTPUT

SOURCE = HERE / "standin_cuda.cpp"
CASES = HERE / "cuda_cases.py"
KINDS = ("device", "pinned", "stream", "event", "module", "graph", "context", "pushed", "misuse")
_HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def compile_standin(folder: Path) -> Path:
    """Compile libcuda.so.1 into a folder; put the folder on LD_LIBRARY_PATH to use it."""
    return compile_library(folder / "libcuda.so.1", SOURCE, KERNELS, options=("-Wl,-soname,libcuda.so.1",))


def run_case(
    library: Path, name: str, *arguments: str, cases: Path = CASES, environment: dict[str, str] | None = None
) -> str:
    """Run a case of cuda_cases.py, or of `cases`, in a process that finds the stand-in; return what it printed.

    Raises:
        AssertionError: It fails, or says anything on stderr; with all that it said.
    """
    found = {**os.environ, "LD_LIBRARY_PATH": str(library.parent), "OMP_NUM_THREADS": "1", **(environment or {})}
    command = [sys.executable, "-W", "error", str(cases), name, *arguments]
    done = subprocess.run(command, env=found, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0 and not done.stderr, f"{name} exited {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@cache
def driver() -> ctypes.CDLL:
    """Return the stand-in that this process has loaded."""
    library = ctypes.CDLL("libcuda.so.1")
    library.standin_live.restype = ctypes.c_long
    return library


def live() -> dict[str, int]:
    """Return how many of each kind are there and not freed, zeros left out."""
    counts = {kind: driver().standin_live(kind.encode()) for kind in KINDS}
    return {kind: count for kind, count in counts.items() if count}


def fail(function: str, code: int, *, calls_before: int = 0) -> None:
    """Make a call of the driver fail once, after some that work."""
    driver().standin_fail(function.encode(), calls_before, code)


def limit_memory(n_bytes: int) -> None:
    """Set how much device memory there is."""
    driver().standin_limit(ctypes.c_size_t(n_bytes))


class HostNetwork:
    """An ONNX model, run by ONNX Runtime on the addresses that it is given, in the order of the stream."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._functions: dict[NetworkCall, object] = {}  # C keeps no reference to them
        self.calls = 0

    def __call__(self, call: NetworkCall) -> None:
        self.calls += 1
        if call not in self._functions:
            self._functions[call] = _HOST_FUNCTION(lambda _: self.run(call))
        status = driver().cuLaunchHostFunc(ctypes.c_void_p(call.stream), self._functions[call], None)
        assert status == 0, f"cuLaunchHostFunc answers {status}"

    def run(self, call: NetworkCall) -> None:
        """Compute now."""
        batch, depth = at_address(call.input, (1, 3, *call.input_px)), at_address(call.output, (1, *call.input_px))
        depth[:] = self._session.run([OUTPUT], {INPUT: batch})[0]


def at_address(address: int, shape: Sequence[int]) -> np.ndarray:
    """Return the float32 memory at an address as an array."""
    memory = (ctypes.c_ubyte * (int(np.prod(shape)) * 4)).from_address(address)
    array: np.ndarray = np.frombuffer(memoryview(memory), np.float32).reshape(shape)
    return array
