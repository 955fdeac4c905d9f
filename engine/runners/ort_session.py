"""ONNX Runtime itself: imported on use, its providers, and a session of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import BackendUnavailable, ModelFileError
from ..terms import Device

# Provider, or with options. Source: ONNX Runtime, CUDA Execution Provider
Providers = Sequence[str | tuple[str, dict[str, str]]]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# Float32 products of numbers as short as those of float16 are its default; then "fp32" would be said of what is not.
# Source: ONNX Runtime, CUDA Execution Provider, use_tf32
CUDA_OPTIONS = {"use_tf32": "0"}
FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors reach the user as exceptions


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime or name the extra that brings it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendUnavailable(
            f"onnxruntime cannot be imported ({error}); install it with: pip install 'depthrt[cpu]'"
        ) from error
    module: ModuleType = onnxruntime
    return module


def find_providers(ort: ModuleType, device: Device) -> list[str]:
    """Return the providers to ask for, best first."""
    built_in = ort.get_available_providers()  # what was compiled in, usable or not
    if device == "cuda" and CUDA not in built_in:
        raise BackendUnavailable(
            "this onnxruntime has no CUDA provider; install it with: "
            "pip uninstall onnxruntime && pip install 'depthrt[gpu]', or use device='cpu'"
        )
    return [CUDA, CPU] if device != "cpu" and CUDA in built_in else [CPU]


def run_options(ort: ModuleType) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    """Return options of a run that does not wait for the GPU."""
    options = ort.RunOptions()
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    return options


def open_session(ort: ModuleType, path: Path, threads: int, providers: Providers) -> Any:  # noqa: ANN401
    """Open an ONNX file.

    Raises:
        ModelFileError: ONNX Runtime refuses it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = FATAL_ONLY
    # Planned blocks come on top of what the arena has already: 70 MiB more for Depth Anything V2 Small, and no faster.
    options.enable_mem_pattern = False
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises its own classes and RuntimeError alike
        reason = " ".join(str(error).split())
        raise ModelFileError(f"ONNX Runtime refuses {path}: {reason}; export it again") from error
