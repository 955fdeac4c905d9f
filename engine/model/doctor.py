"""Tries each runner and provider on this machine; a failure gets its reason and a remedy."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np

from ..cuda.driver.driver import find_gpu
from ..errors import BackendUnavailable
from ..runners.openvino_runner import DEVICE, has_bf16, import_openvino, the_core
from ..runners.ort_session import CPU, CUDA, import_onnxruntime, session_options
from ..system.cores import usable_cores
from ..trt.library import INSTALL, import_tensorrt

# An ONNX model of one Identity node (x to y, one float32), to try a provider by running it without the onnx library.
# Made with onnx.helper: opset 13, IR version 8.
IDENTITY_MODEL = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201695a0f0a0178120a0a08080112040a02"
    "0801620f0a0179120a0a08080112040a02080142040a00100d"
)
EXPORT_PACKAGES = ("torch", "onnx", "onnxscript", "safetensors")


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one trial.

    Args:
        name: Of the runner, provider or extra.
        works: Whether it works.
        detail: Versions and devices, or the reason why it does not work.
        remedy: What to do about it; "" if it works.
    """

    name: str
    works: bool
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Try every runner and provider, and look for the packages of the other verbs."""
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {usable_cores()} cores"
    return [
        Finding("machine", True, machine),
        _provider("onnxruntime CPU", CPU),
        _provider("onnxruntime CUDA", CUDA),
        _openvino(),
        _driver(),
        _pycuda(),
        _tensorrt(),
        _packages("export", EXPORT_PACKAGES),
    ]


def _provider(name: str, provider: str) -> Finding:
    """Run a one-node model on a provider."""
    try:
        ort = import_onnxruntime()
    except BackendUnavailable as error:
        reason, _, remedy = str(error).partition("; install it with: ")
        return Finding(name, False, reason, remedy)
    remedy = "pip uninstall onnxruntime && pip install 'depthrt[gpu]', on a machine with an NVIDIA driver"
    if provider not in ort.get_available_providers():
        return Finding(name, False, f"onnxruntime {ort.__version__} was built without it", remedy)
    try:
        session = ort.InferenceSession(IDENTITY_MODEL, session_options(ort, 1), providers=[provider])
        used = session.get_providers()[0]
        (answer,) = session.run(None, {"x": np.ones(1, np.float32)})
    except Exception as error:  # whatever a broken installation raises is the finding
        return Finding(name, False, " ".join(str(error).split()), remedy)
    if used != provider or answer[0] != 1.0:
        return Finding(name, False, f"onnxruntime {ort.__version__} fell back to {used}", remedy)
    return Finding(name, True, f"onnxruntime {ort.__version__}, ran a model")


def _openvino() -> Finding:
    """Run a one-node model in OpenVINO, and ask in which precisions this CPU computes."""
    name, remedy = "openvino CPU", "pip install --upgrade 'depthrt[cpu]'"
    try:
        ov = import_openvino()
    except BackendUnavailable as error:
        reason, _, install = str(error).partition("; install it with: ")
        return Finding(name, False, reason, install)
    try:
        core = the_core()
        (answer,) = core.compile_model(core.read_model(IDENTITY_MODEL), DEVICE)([np.ones(1, np.float32)]).values()
        bf16 = has_bf16(core)
    except Exception as error:  # whatever a broken installation raises is the finding
        return Finding(name, False, " ".join(str(error).split()), remedy)
    if answer[0] != 1.0:
        return Finding(name, False, f"openvino {ov.__version__} answers {answer[0]} for 1", remedy)
    precisions = "fp32 and bf16" if bf16 else "fp32; bf16 needs a CPU with AVX512-BF16 or AMX"
    return Finding(name, True, f"openvino {_version('openvino')}, ran a model; {precisions}")


def _driver() -> Finding:
    """Ask the CUDA driver for its first GPU, without any CUDA package."""
    try:
        gpu = find_gpu()
    except BackendUnavailable as error:
        return Finding("CUDA driver", False, str(error), "install the NVIDIA driver, if this machine has an NVIDIA GPU")
    return Finding("CUDA driver", True, f"{gpu.name}, compute capability {gpu.compute_capability}")


def _pycuda() -> Finding:
    """Open the first GPU through pycuda and load depthrt's kernels on it."""
    remedy = "pip install 'depthrt[gpu]', which builds it with the CUDA toolkit's nvcc"
    if find_spec("pycuda") is None:
        return Finding("pycuda", False, "not installed", remedy)
    try:
        find_gpu()
    except BackendUnavailable as error:
        return Finding("pycuda", False, f"pycuda {_version('pycuda')} was not tried: {error}", "see CUDA driver")
    from ..cuda.driver.gpu import Cuda

    try:
        with Cuda() as gpu:
            return Finding("pycuda", True, f"pycuda {_version('pycuda')}, loaded depthrt's kernels on {gpu.name}")
    except BackendUnavailable as error:
        return Finding("pycuda", False, str(error), remedy)


def _tensorrt() -> Finding:
    """Find a TensorRT that can build an engine here."""
    try:
        found = import_tensorrt()
        found.check_driver()
    except BackendUnavailable as error:
        return Finding("TensorRT", False, str(error), INSTALL)
    return Finding("TensorRT", True, f"{found.name}, builds engines, and runs them on a machine with a GPU and pycuda")


def _packages(extra: str, names: Sequence[str]) -> Finding:
    """Look for the packages of an extra, without importing them."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        return Finding(
            f"depthrt {extra}", False, f"not installed: {', '.join(missing)}", f"pip install 'depthrt[{extra}]'"
        )
    return Finding(f"depthrt {extra}", True, ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
