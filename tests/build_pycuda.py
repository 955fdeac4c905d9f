"""Installs pycuda on a machine without a GPU or CUDA, for test_cuda.py: python tests/build_pycuda.py.

pycuda has no wheels and builds where a CUDA toolkit is. Of the toolkit it needs two header packages, and in
place of the driver it is linked with the stand-in. Takes a C++ compiler and about 90 seconds of one core; pip
keeps the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from kernels_on_host import SOURCE as KERNELS
from kernels_on_host import compile_library

HERE = Path(__file__).parent
PYCUDA = "pycuda==2026.1"
# The stand-in names the functions that pycuda takes from headers of this version.
HEADERS = ("nvidia-cuda-runtime==13.0.96", "nvidia-cuda-profiler-api==13.0.85")
# Read by pycuda's setup.py from the home folder. Source: pycuda, aksetup_helper.py
SETTINGS = """\
CUDA_ROOT = {root!r}
CUDA_ENABLE_CURAND = False
CUDADRV_LIB_DIR = [{library!r}]
CUDART_LIB_DIR = []
CXXFLAGS = ["-O1", "-g0", "-w"]
LDFLAGS = ["-Wl,-s"]
"""


def main() -> None:
    """Build pycuda and install it beside this Python."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    cache = subprocess.run([*pip, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    with TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run([*pip, "install", "--quiet", "--no-deps", "--target", str(work), *HEADERS], check=True)
        # The linker looks for libcuda.so, Python later for the name inside, libcuda.so.1.
        compile_library(work / "libcuda.so", HERE / "standin_cuda.cpp", KERNELS, options=("-Wl,-soname,libcuda.so.1",))
        settings = SETTINGS.format(root=str(work / "nvidia" / "cu13"), library=str(work))
        (work / ".aksetup-defaults.py").write_text(settings, encoding="utf-8")
        environment = {**os.environ, "HOME": str(work), "PIP_CACHE_DIR": cache}
        subprocess.run([*pip, "install", "--quiet", PYCUDA], env=environment, check=True)


if __name__ == "__main__":
    main()
