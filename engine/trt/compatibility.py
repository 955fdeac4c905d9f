"""Checks whether an engine runs here: flavour, version and GPU, before TensorRT, which may crash, gets the plan."""

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
        BackendUnavailable: There is no GPU, the flavour is not installed, or the engine is for another version or GPU.
    """
    try:
        gpu = find_gpu()
    except BackendUnavailable as error:
        raise BackendUnavailable(f"{path} runs on NVIDIA GPUs only, and {error}; on a CPU use the .onnx file") from (
            error
        )
    trt = _import_flavour(header, path)
    _check_version(header, path, trt)
    _check_gpu(header, path, gpu)
    return trt


def gpu_note(header: PlanHeader, gpu_name: str) -> str:
    """Return a note if an engine was built on another model of GPU than runs it, else ""."""
    if header.gpu in ("", gpu_name):
        return ""
    return f"the engine was built on {header.gpu} and runs on {gpu_name}; built again here it may be faster"


def options_for(trt: TensorRT, gpu: Gpu) -> BuildOptions:
    """Return the options of a build for a GPU.

    Raises:
        BackendUnavailable: This TensorRT does not support the GPU.
    """
    named = trt.compute_capabilities
    # TensorRT-RTX's compiler may know a GPU that is newer than all those it names.
    if named and gpu.compute_capability not in named and _numbers(gpu.compute_capability) < _numbers(named[-1]):
        raise BackendUnavailable(
            f"{trt.name} does not run on {gpu.name}, compute capability {gpu.compute_capability}: it supports "
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
        here = f"; {other.name}, which is installed, cannot run it" if other else ""
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
        f"engine runs only on the version that built it; build it again: depthrt build, or pip install "
        f"{package}=={header.tensorrt_version}"
    )


def _check_gpu(header: PlanHeader, path: Path, gpu: Gpu) -> None:
    found = gpu.compute_capability
    if found in header.compute_capabilities:
        return
    if not header.compute_capabilities and _numbers(found) >= PORTABLE_FROM:
        return
    raise BackendUnavailable(
        f"{path} is for GPUs of {header.runs_on}; {gpu.name} has {found}; build it again for this GPU: depthrt build"
    )


def _numbers(capability: str) -> tuple[int, ...]:
    return tuple(map(int, capability.split(".")))
