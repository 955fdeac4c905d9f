"""Whether an engine runs here: flavour, version and GPU are checked before TensorRT, which may crash, sees the plan."""

from __future__ import annotations

from pathlib import Path

from ..cuda.driver.driver import Gpu, find_gpu
from ..errors import BackendUnavailable
from .build_options import DEFAULT, BuildOptions
from .library import MODULES, RTX_INSTALL, TITLES, Flavour, TensorRT, import_tensorrt
from .plan_file import PlanHeader

# Source: NVIDIA's documentation of TensorRT-RTX: an engine for no named GPU runs from Ampere on.
PORTABLE_FROM = (8, 0)


def check_fit(header: PlanHeader, path: Path) -> TensorRT:
    """Return the TensorRT that runs an engine on this machine's first GPU.

    Args:
        header: Of the engine.
        path: For messages.

    Raises:
        BackendUnavailable: There is no GPU, the flavour is not installed, or the version or the GPU is another one.
    """
    try:
        gpu = find_gpu()
    except BackendUnavailable as error:
        raise BackendUnavailable(f"{path} runs on an NVIDIA GPU alone, and {error}; on a CPU use the .onnx file") from (
            error
        )
    trt = _import_flavour(header, path)
    _check_version(header, path, trt)
    _check_gpu(header, path, gpu)
    return trt


def gpu_note(header: PlanHeader, gpu_name: str) -> str:
    """Return what is to be said about the GPU that runs an engine: "" unless it was built on another model."""
    if header.gpu in ("", gpu_name):
        return ""
    return f"the engine was built on {header.gpu} and runs on {gpu_name}; built again here it may be faster"


def options_for(trt: TensorRT, gpu: Gpu) -> BuildOptions:
    """Return how an engine has to be built for a GPU to run it.

    Raises:
        BackendUnavailable: This TensorRT runs no engine on it.
    """
    named = trt.compute_capabilities
    # A GPU newer than all that are named may be known to TensorRT-RTX's compiler nevertheless.
    if named and gpu.compute_capability not in named and _numbers(gpu.compute_capability) < _numbers(named[-1]):
        raise BackendUnavailable(
            f"{trt.name} runs no engine on {gpu.name}, compute capability {gpu.compute_capability}: it supports "
            f"{', '.join(named)}; install the full TensorRT: pip install 'depthrt[gpu]'"
        )
    if named and _numbers(gpu.compute_capability) < PORTABLE_FROM:
        return BuildOptions(compute_capabilities=(gpu.compute_capability,))
    return DEFAULT


def _import_flavour(header: PlanHeader, path: Path) -> TensorRT:
    try:
        return import_tensorrt(header.flavour)
    except BackendUnavailable as error:
        other = _other_flavour(header.flavour)
        here = f"; {other.name}, which is here, cannot run it" if other else ""
        raise BackendUnavailable(
            f"{path} is for {TITLES[header.flavour]} {header.tensorrt_version}{here}; {error}, or build it again: "
            "depthrt build"
        ) from error


def _other_flavour(flavour: Flavour) -> TensorRT | None:
    (other,) = set(MODULES.values()) - {flavour}
    try:
        return import_tensorrt(other)
    except BackendUnavailable:
        return None


def _check_version(header: PlanHeader, path: Path, trt: TensorRT) -> None:
    if header.tensorrt_version == trt.version:
        return
    package = RTX_INSTALL.split()[2] if trt.flavour == "tensorrt-rtx" else "tensorrt"
    raise BackendUnavailable(
        f"{path} was built by {TITLES[trt.flavour]} {header.tensorrt_version}, {trt.version} is installed, and an "
        f"engine runs on the version that built it alone; build it again: depthrt build, or pip install "
        f"{package}=={header.tensorrt_version}"
    )


def _check_gpu(header: PlanHeader, path: Path, gpu: Gpu) -> None:
    found = gpu.compute_capability
    if found in header.compute_capabilities:
        return
    if not header.compute_capabilities and _numbers(found) >= PORTABLE_FROM:
        return
    raise BackendUnavailable(
        f"{path} is for GPUs of {header.runs_on}; {gpu.name} has {found}; build it again for that: depthrt build"
    )


def _numbers(capability: str) -> tuple[int, ...]:
    return tuple(map(int, capability.split(".")))
