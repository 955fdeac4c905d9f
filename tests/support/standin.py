"""The stand-in for the CUDA driver (standin_cuda.cpp): how to compile, control and inspect it, and a network on it."""

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

from depthrt.engine.cuda.network import NetworkCall
from depthrt.engine.terms import INPUT, OUTPUT

SOURCE = HERE / "standin_cuda.cpp"
FOREIGN = HERE / "standin_foreign.cpp"  # with streams and memory of another library
CASES = HERE / "cuda_cases.py"
DRIVER_CASES = HERE / "driver_cases.py"
DEVICE_CASES = HERE / "device_cases.py"
SLOT_CASES = HERE / "slot_cases.py"
KINDS = ("device", "pinned", "stream", "event", "module", "graph", "context", "pushed", "misuse")
HOST_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def compile_standin(folder: Path, source: Path = SOURCE) -> Path:
    """Compile libcuda.so.1 into a folder; a process with the folder on LD_LIBRARY_PATH loads it."""
    return compile_library(folder / "libcuda.so.1", source, KERNELS, options=("-Wl,-soname,libcuda.so.1",))


def run_case(
    library: Path, name: str, *arguments: str, cases: Path = CASES, environment: dict[str, str] | None = None
) -> str:
    """Run a case in a process that loads the stand-in; return its output.

    Args:
        library: The compiled stand-in.
        name: Function in `cases`; `arguments` are its arguments.
        cases: The file with the case.
        environment: Added to the environment of the process.

    Raises:
        AssertionError: The case fails or prints to stderr; with its whole output.
    """
    variables = {**os.environ, "LD_LIBRARY_PATH": str(library.parent), "OMP_NUM_THREADS": "1", **(environment or {})}
    command = [sys.executable, "-W", "error", str(cases), name, *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0 and not done.stderr, f"{name} exited {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@cache
def driver() -> ctypes.CDLL:
    """Return the stand-in, which this process has loaded."""
    library = ctypes.CDLL("libcuda.so.1")
    library.standin_live.restype = ctypes.c_long
    return library


def live() -> dict[str, int]:
    """Return how many objects of each kind exist, without the kinds that have none."""
    counts = {kind: driver().standin_live(kind.encode()) for kind in KINDS}
    return {kind: count for kind, count in counts.items() if count}


def fail(function: str, code: int, *, calls_before: int = 0) -> None:
    """Make a function of the driver return an error once, after some calls that work."""
    driver().standin_fail(function.encode(), calls_before, code)


def limit_memory(n_bytes: int) -> None:
    """Set the size of the GPU's memory."""
    driver().standin_limit(ctypes.c_size_t(n_bytes))


class HostNetwork:
    """An ONNX file as a network on the GPU; ONNX Runtime computes it on the host, in the order of the stream."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._functions: dict[NetworkCall, object] = {}  # C keeps no reference to them
        self.calls = 0

    def __call__(self, call: NetworkCall) -> None:
        self.calls += 1
        if call not in self._functions:
            self._functions[call] = HOST_FUNCTION(lambda _: self.run(call))
        status = driver().standin_launch(ctypes.c_void_p(call.stream), self._functions[call], None)
        assert status == 0, f"standin_launch returns {status}"

    def run(self, call: NetworkCall) -> None:
        """Compute the network now."""
        batch, depth = at_address(call.input, (1, 3, *call.input_px)), at_address(call.output, (1, *call.input_px))
        depth[:] = self._session.run([OUTPUT], {INPUT: batch})[0]


def at_address(address: int, shape: Sequence[int]) -> np.ndarray:
    """Return the float32 memory at an address as an array."""
    memory = (ctypes.c_ubyte * (int(np.prod(shape)) * 4)).from_address(address)
    array: np.ndarray = np.frombuffer(memoryview(memory), np.float32).reshape(shape)
    return array
