"""Builds pycuda for the tests on a machine without a GPU or CUDA: python tests/support/build_pycuda.py.

pycuda has no wheels, and its build expects a CUDA toolkit. Here two packages of headers replace the toolkit, and the
stand-in replaces the driver at linking. The build needs a C++ compiler and about 70 seconds of one core. pip keeps the
wheel in a separate cache, because this pycuda lacks cuRAND.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from kernels_on_host import COMPILERS, HERE, compile_library, find_compiler
from kernels_on_host import SOURCE as KERNELS

from depthrt.engine.system.cores import usable_cores
from depthrt.engine.system.files import atomic_path

PYCUDA = "pycuda==2026.1"
# The stand-in has the functions that pycuda uses with headers of this version.
HEADERS = ("nvidia-cuda-runtime==13.0.96", "nvidia-cuda-profiler-api==13.0.85")
CONSTRAINTS = HERE.parent.with_name("constraints.txt")
LOG = Path(sys.prefix, "pycuda.log")
NOT_BUILT = "pycuda is not installed; `make pycuda` builds it, without a GPU or CUDA"
# pycuda's setup.py runs this from the home folder. Source: pycuda, aksetup_helper.py
SETTINGS = """\
from concurrent.futures import ThreadPoolExecutor
from distutils.ccompiler import CCompiler

CUDA_ROOT = {root!r}
CUDA_ENABLE_CURAND = False
CUDADRV_LIB_DIR = [{library!r}]
CUDART_LIB_DIR = []
CXXFLAGS = ["-O1", "-g0", "-w"]
LDFLAGS = ["-Wl,-s"]

compile_one_by_one = CCompiler.compile

def compile_side_by_side(compiler, sources, **options):
    with ThreadPoolExecutor({cores}) as pool:
        found = pool.map(lambda source: compile_one_by_one(compiler, [source], **options), sources)
        return [file for files in found for file in files]

CCompiler.compile = compile_side_by_side
"""
USER_SETTINGS = (".netrc", ".pip")  # pip's, in the home folder


class NotBuilt(Exception):
    """pycuda cannot be built; the message is one line."""


def main() -> None:
    """Build and install pycuda for this Python; if that fails, print the reason in one line and exit with 1."""
    if find_spec("pycuda") is not None:
        return
    LOG.unlink(missing_ok=True)
    try:
        if (reason := obstacle()) is not None:
            raise NotBuilt(reason)
        print("build pycuda for the tests of the CUDA runtime: about a minute, once", file=sys.stderr)  # noqa: T201
        with TemporaryDirectory() as folder:
            build(Path(folder))
    except NotBuilt as error:
        sys.exit(f"pycuda is not built and the CUDA runtime will not be tested: {error}")


def why_missing() -> str | None:
    """Return in one line why pycuda is not installed, or None if it is."""
    if find_spec("pycuda") is not None:
        return None
    return obstacle() or (f"pycuda does not build; the reason is in {LOG}" if LOG.is_file() else NOT_BUILT)


def obstacle() -> str | None:
    """Return what this machine lacks for the build and the command that installs it, or None if nothing is missing."""
    if sys.platform != "linux":
        return f"the stand-in for the driver is a library of Linux, this is {sys.platform}"
    if find_compiler() is None:
        return (
            f"no C++ compiler ({', '.join(COMPILERS)} or $CXX) is on this machine; "
            "install one, on Debian and Ubuntu with: apt-get install g++"
        )
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.is_file():
        return (
            f"the headers of this Python are missing ({header}); "
            "install them, on Debian and Ubuntu with: apt-get install python3-dev"
        )
    return None


def build(work: Path) -> None:
    """Build pycuda in an empty folder and install it.

    Raises:
        NotBuilt: The network, the disk or the compiler failed; LOG has the whole output.
    """
    run_pip("install", "--no-deps", "--target", str(work), *HEADERS)
    # The linker looks for libcuda.so; at run time Python looks for the name inside it, libcuda.so.1.
    try:
        compile_library(work / "libcuda.so", HERE / "standin_cuda.cpp", KERNELS, options=("-Wl,-soname,libcuda.so.1",))
    except AssertionError as error:
        raise failed(str(error)) from error
    settings = SETTINGS.format(root=str(work / "nvidia" / "cu13"), library=str(work), cores=usable_cores())
    (work / ".aksetup-defaults.py").write_text(settings, encoding="utf-8")
    home = Path.home()
    for name in filter(lambda name: (home / name).exists(), USER_SETTINGS):
        (work / name).symlink_to(home / name)
    compiler = str(find_compiler())
    run_pip(
        "install",
        PYCUDA,
        "--constraint",
        str(CONSTRAINTS),
        HOME=str(work),
        XDG_CONFIG_HOME=os.environ.get("XDG_CONFIG_HOME", str(home / ".config")),
        PIP_CACHE_DIR=own_cache(home),
        PIP_CONSTRAINT=str(CONSTRAINTS),  # also for the packages that build it
        PIP_BUILD_CONSTRAINT=str(CONSTRAINTS),  # the same, since pip 25.3
        CC=compiler,
        CXX=compiler,
    )


def own_cache(home: Path) -> str:
    """Return pip's cache folder for these settings."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    return str(caches / "depthrt-tests" / sha256(f"{SETTINGS}{HEADERS}".encode()).hexdigest()[:12])


def run_pip(*arguments: str, **environment: str) -> None:
    """Run pip with variables added to the environment."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise failed(done.stdout + done.stderr)


def failed(output: str) -> NotBuilt:
    """Write a program's output to LOG; return its first error line as an error."""
    with atomic_path(LOG) as written:
        written.write_text(output, encoding="utf-8")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = (line for line in lines if "error: " in line.lower() and "exited-with-error" not in line)
    return NotBuilt(f"{next(errors, lines[-1] if lines else 'no output')}; the whole output is in {LOG}")


if __name__ == "__main__":
    main()
