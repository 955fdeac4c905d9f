"""The CUDA kernels on the CPU: kernels.cu compiled by the machine's C++ compiler, launched through ctypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
from pathlib import Path

from depthrt.engine.cuda.kernels.kernels import ARGUMENTS, Launch
from depthrt.engine.cuda.kernels.kernels import SOURCE as CUDA_SOURCE

HERE = Path(__file__).parent
SOURCE = HERE / "kernels_on_host.cpp"
COMPILERS = ("c++", "g++", "clang++")
OPTIONS = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
NO_COMPILER = (
    f"the kernels are NOT tested: no C++ compiler ({', '.join(COMPILERS)} or $CXX) is on this machine; "
    "install one, on Debian and Ubuntu with: apt-get install g++"
)


def find_compiler() -> str | None:
    """Return the path of a C++ compiler: $CXX if it is set, else the first of COMPILERS that exists."""
    named = os.environ.get("CXX")
    return next(filter(None, map(shutil.which, [named] if named else COMPILERS)), None)


def compile_library(library: Path, *sources: Path, options: tuple[str, ...] = ()) -> Path:
    """Compile C++ sources into a shared library.

    Raises:
        AssertionError: No compiler exists, or it refuses; with its output.
    """
    compiler = find_compiler()
    assert compiler is not None, NO_COMPILER
    command = [compiler, *OPTIONS, f"-I{CUDA_SOURCE.parent}", *map(str, sources), *options, "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


class HostKernels:
    """The kernels of a compiled library; the addresses in a Launch are those of numpy arrays."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.launch_on_host.restype = ctypes.c_size_t

    def launch(self, launch: Launch) -> None:
        """Run a launch; blocks."""
        number = self._library.find_on_host(launch.kernel.encode())
        assert number >= 0, f"kernels_on_host.cpp does not list {launch.kernel}"
        packed = struct.pack(ARGUMENTS[launch.kernel], *launch.arguments)
        grid, block = ((ctypes.c_uint * 3)(*sides) for sides in (launch.grid, launch.block))
        taken = self._library.launch_on_host(number, grid, block, packed)
        assert taken == len(packed), f"{launch.kernel} takes {taken} bytes of arguments, kernels.py gives {len(packed)}"
