"""Installs pycuda on a machine without a GPU or CUDA, for test_cuda.py: python tests/support/build_pycuda.py.

pycuda has no wheels and builds where a CUDA toolkit is. Of the toolkit it needs two header packages, and in place of
the driver it is linked with the stand-in. Takes a C++ compiler and about 70 seconds of one core; pip keeps the wheel,
in a cache of its own, for what is built here lacks cuRAND.
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
# The stand-in names the functions that pycuda takes from headers of this version.
HEADERS = ("nvidia-cuda-runtime==13.0.96", "nvidia-cuda-profiler-api==13.0.85")
CONSTRAINTS = HERE.parent.with_name("constraints.txt")
LOG = Path(sys.prefix, "pycuda.log")
NOT_BUILT = "pycuda is not installed; `make pycuda` builds it, without a GPU or CUDA"
# Read by pycuda's setup.py, as Python, from the home folder. Source: pycuda, aksetup_helper.py
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
USER_SETTINGS = (".netrc", ".pip")  # of pip, in the home folder


class NotBuilt(Exception):
    """Why pycuda cannot be built, in one line."""


def main() -> None:
    """Build pycuda and install it beside this Python; where that fails, say why in one line and exit with 1."""
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
    """Return why pycuda is not here, in one line, or None where it is."""
    if find_spec("pycuda") is not None:
        return None
    return obstacle() or (f"pycuda does not build; {LOG} says why" if LOG.is_file() else NOT_BUILT)


def obstacle() -> str | None:
    """Return what this machine lacks, with the command that installs it, or None."""
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
            f"the headers of this Python are not there ({header}); "
            "install them, on Debian and Ubuntu with: apt-get install python3-dev"
        )
    return None


def build(work: Path) -> None:
    """Build and install in an empty folder.

    Raises:
        NotBuilt: The network, the disk or the compiler fails; LOG has all that was said.
    """
    run_pip("install", "--no-deps", "--target", str(work), *HEADERS)
    # The linker looks for libcuda.so, Python later for the name inside, libcuda.so.1.
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
        PIP_CONSTRAINT=str(CONSTRAINTS),  # for what builds it, too
        PIP_BUILD_CONSTRAINT=str(CONSTRAINTS),  # the same, since pip 25.3
        CC=compiler,
        CXX=compiler,
    )


def own_cache(home: Path) -> str:
    """Return the folder in which pip keeps what was built with these settings."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    return str(caches / "depthrt-tests" / sha256(f"{SETTINGS}{HEADERS}".encode()).hexdigest()[:12])


def run_pip(*arguments: str, **environment: str) -> None:
    """Run pip with additions to the environment."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise failed(done.stdout + done.stderr)


def failed(said: str) -> NotBuilt:
    """Keep what a program said in LOG; return its most telling line as an error."""
    with atomic_path(LOG) as written:
        written.write_text(said, encoding="utf-8")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = (line for line in lines if "error: " in line.lower() and "exited-with-error" not in line)
    return NotBuilt(f"{next(telling, lines[-1] if lines else 'it said nothing')}; all that was said stands in {LOG}")


if __name__ == "__main__":
    main()
