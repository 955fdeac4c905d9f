"""Makes kernels.fatbin of kernels.cu: python -m depthrt.engine.cuda.kernels.compile_kernels.

Needs neither a GPU nor a CUDA toolkit, only two packages of NVIDIA's compiler (PACKAGES). They are of CUDA
12.8 on purpose: it is the first that knows sm_100 and sm_120, and what it makes runs on every driver from
CUDA 12 on, JetPack 6 included, where what CUDA 13 makes needs a driver of CUDA 13.
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
# Turing, A100, RTX 30, Orin, RTX 40, H100, B200, RTX 50. Others of one generation run the nearest lower one.
ARCHITECTURES = ("75", "80", "86", "87", "89", "90", "100", "120")
PTX_ARCHITECTURE = ARCHITECTURES[0]  # the driver compiles it for what is not listed, newer GPUs included


def main() -> None:
    """Write kernels.fatbin and kernels.sha256 beside the source."""
    source = SOURCE.read_bytes()
    cubins = {architecture: compile_cubin(source, architecture) for architecture in ARCHITECTURES}
    packed = pack_fatbin(cubins, PTX_ARCHITECTURE, compile_ptx(source, PTX_ARCHITECTURE))
    with atomic_path(FATBIN) as path:
        path.write_bytes(packed)
    with atomic_path(SHA256) as path:
        path.write_text(hash_lines(source, packed), encoding="ascii")
    print(f"{FATBIN}: {len(packed) / 1024:.0f} KiB, sm_{', sm_'.join(ARCHITECTURES)} and PTX")  # noqa: T201


def hash_lines(source: bytes, fatbin: bytes) -> str:
    """Return what kernels.sha256 holds, in the form that `sha256sum --check` reads."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path.name}\n" for path, data in ((SOURCE, source), (FATBIN, fatbin))
    )


def compile_cubin(source: bytes, architecture: str) -> bytes:
    """Compile the kernels for GPUs of one architecture, e.g. "86".

    Raises:
        BackendUnavailable: NVIDIA's compiler is not installed.
        BuildError: It refuses the source; with its log.
    """
    return _compile(source, f"--gpu-architecture=sm_{architecture}", "CUBIN")


def compile_ptx(source: bytes, architecture: str) -> bytes:
    """Compile the kernels to PTX, which a driver compiles further for any GPU from an architecture on.

    Raises:
        BackendUnavailable, BuildError: As for compile_cubin.
    """
    return _compile(source, f"--gpu-architecture=compute_{architecture}", "PTX")


def pack_fatbin(cubins: dict[str, bytes], ptx_architecture: str, ptx: bytes) -> bytes:
    """Put the machine code of every architecture and the PTX into one file.

    Raises:
        BackendUnavailable: NVIDIA's packer is not installed.
        BuildError: It refuses.
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
    """Compile with NVRTC; kind is "CUBIN" or "PTX"."""
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
    """Return the program's "CUBIN", "PTX" or "ProgramLog"."""
    size = ctypes.c_size_t()
    _check(getattr(library, f"nvrtcGet{kind}Size")(program, ctypes.byref(size)), f"nvrtcGet{kind}Size")
    data = ctypes.create_string_buffer(size.value)
    _check(getattr(library, f"nvrtcGet{kind}")(program, data), f"nvrtcGet{kind}")
    return data.raw


def _load(library: str) -> ctypes.CDLL:
    """Load a library of the nvidia packages, which lie in one folder."""
    spec = find_spec("nvidia")
    folders: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    for folder in folders:
        if (Path(folder) / library).exists():
            return ctypes.CDLL(str(Path(folder) / library))
    raise BackendUnavailable(f"{library} is not installed; install it with: pip install {' '.join(PACKAGES)}")


def _check(status: int, call: str) -> None:
    if status != 0:
        raise BuildError(f"{call} answers error {status}; expected 0; see NVIDIA's documentation of it")


if __name__ == "__main__":
    main()
