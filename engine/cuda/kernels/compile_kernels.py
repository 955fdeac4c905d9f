"""Compiles kernels.cu to kernels.fatbin: python -m depthrt.engine.cuda.kernels.compile_kernels.

It needs NVIDIA's compiler as two packages (PACKAGES), but no GPU and no CUDA toolkit. The packages are of CUDA 12.8
on purpose. It is the first version that knows sm_100 and sm_120, and its output runs on every driver of CUDA 12 and
later, JetPack 6 included. Output of CUDA 13 needs a driver of CUDA 13.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ...errors import BackendUnavailable, BuildError
from ...system.files import atomic_path
from .kernels import FATBIN, SHA256, SOURCE

PACKAGES = ("nvidia-cuda-nvrtc-cu12==12.8.93", "nvidia-nvfatbin-cu12==12.8.90")
# Turing, A100, RTX 30, Orin, RTX 40, H100, B200, RTX 50. Another GPU of a generation runs the nearest lower number.
ARCHITECTURES = ("75", "80", "86", "87", "89", "90", "100", "120")
PTX_ARCHITECTURE = ARCHITECTURES[0]  # the driver compiles PTX for GPUs that are not listed, also newer ones


def main() -> None:
    """Write kernels.fatbin and kernels.sha256 beside kernels.cu."""
    source = SOURCE.read_bytes()
    cubins = {architecture: compile_cubin(source, architecture) for architecture in ARCHITECTURES}
    packed = pack_fatbin(cubins, PTX_ARCHITECTURE, compile_ptx(source, PTX_ARCHITECTURE))
    with atomic_path(FATBIN) as path:
        path.write_bytes(packed)
    with atomic_path(SHA256) as path:
        path.write_text(hash_lines(source, packed), encoding="ascii")
    print(f"{FATBIN}: {len(packed) / 1024:.0f} KiB, sm_{', sm_'.join(ARCHITECTURES)} and PTX")  # noqa: T201


def hash_lines(source: bytes, fatbin: bytes) -> str:
    """Return the content of kernels.sha256, in the format of `sha256sum --check`."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path.name}\n" for path, data in ((SOURCE, source), (FATBIN, fatbin))
    )


def compile_cubin(source: bytes, architecture: str) -> bytes:
    """Return the machine code (cubin) of the kernels for one architecture, e.g. "86".

    Raises:
        BackendUnavailable: NVIDIA's compiler is not installed.
        BuildError: The compiler refuses the source; the message has its log.
    """
    return _compile(source, f"--gpu-architecture=sm_{architecture}", "CUBIN")


def compile_ptx(source: bytes, architecture: str) -> bytes:
    """Return the PTX of the kernels, which a driver compiles for any GPU of the architecture or a later one.

    Raises:
        BackendUnavailable, BuildError: As for compile_cubin.
    """
    return _compile(source, f"--gpu-architecture=compute_{architecture}", "PTX")


def pack_fatbin(cubins: dict[str, bytes], ptx_architecture: str, ptx: bytes) -> bytes:
    """Return a fatbin: the machine code of every architecture and the PTX, as one file.

    Args:
        cubins: Machine code by architecture.
        ptx_architecture: Architecture that `ptx` was compiled for.

    Raises:
        BackendUnavailable: NVIDIA's packer is not installed.
        BuildError: The packer refuses its input.
    """
    library = _load("nvfatbin/lib/libnvfatbin.so.12")
    handle, size = ctypes.c_void_p(), ctypes.c_size_t()
    options = (ctypes.c_char_p * 2)(b"-64", b"-compress-all")
    _check(library.nvFatbinCreate(ctypes.byref(handle), options, len(options)), "nvFatbinCreate")
    try:
        for architecture, cubin in cubins.items():
            status = library.nvFatbinAddCubin(
                handle, cubin, ctypes.c_size_t(len(cubin)), architecture.encode(), SOURCE.name.encode()
            )
            _check(status, f"nvFatbinAddCubin sm_{architecture}")
        status = library.nvFatbinAddPTX(
            handle, ptx, ctypes.c_size_t(len(ptx)), ptx_architecture.encode(), SOURCE.name.encode(), None
        )
        _check(status, "nvFatbinAddPTX")
        _check(library.nvFatbinSize(handle, ctypes.byref(size)), "nvFatbinSize")
        packed = ctypes.create_string_buffer(size.value)
        _check(library.nvFatbinGet(handle, packed), "nvFatbinGet")
    finally:
        library.nvFatbinDestroy(ctypes.byref(handle))
    return packed.raw


def _compile(source: bytes, architecture: str, kind: str) -> bytes:
    """Compile with NVRTC; `kind` is "CUBIN" or "PTX"."""
    library = _load("cuda_nvrtc/lib/libnvrtc.so.12")
    program = ctypes.c_void_p()
    status = library.nvrtcCreateProgram(ctypes.byref(program), source, SOURCE.name.encode(), 0, None, None)
    _check(status, "nvrtcCreateProgram")
    try:
        options = (ctypes.c_char_p * 2)(architecture.encode(), b"--std=c++17")
        if library.nvrtcCompileProgram(program, len(options), options) != 0:
            log = _output(library, program, "ProgramLog").decode(errors="replace")
            raise BuildError(f"NVRTC refuses {SOURCE.name} with {architecture}: {' '.join(log.split())}")
        return _output(library, program, kind)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _output(library: ctypes.CDLL, program: ctypes.c_void_p, kind: str) -> bytes:
    """Return the "CUBIN", "PTX" or "ProgramLog" of an NVRTC program."""
    size = ctypes.c_size_t()
    _check(getattr(library, f"nvrtcGet{kind}Size")(program, ctypes.byref(size)), f"nvrtcGet{kind}Size")
    data = ctypes.create_string_buffer(size.value)
    _check(getattr(library, f"nvrtcGet{kind}")(program, data), f"nvrtcGet{kind}")
    return data.raw


def _load(library: str) -> ctypes.CDLL:
    """Load a library of NVIDIA's packages, which share the folder "nvidia"."""
    spec = find_spec("nvidia")
    folders: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    for folder in folders:
        if (Path(folder) / library).exists():
            return ctypes.CDLL(str(Path(folder) / library))
    raise BackendUnavailable(f"{library} is not installed; install it with: pip install {' '.join(PACKAGES)}")


def _check(status: int, call: str) -> None:
    if status != 0:
        raise BuildError(f"{call} returns error {status}, expected 0; see NVIDIA's documentation of {call}")


if __name__ == "__main__":
    main()
