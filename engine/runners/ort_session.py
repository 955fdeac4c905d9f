"""Imports ONNX Runtime on use, chooses its providers, and opens sessions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..cuda.driver.driver import find_gpu
from ..errors import BackendUnavailable
from ..system.cache.folder import warn_once
from ..system.cores import usable_cores
from ..system.process.telemetry import ORT_SWITCH, was_loaded_before
from ..terms import Device, Precision
from .calls import calling

# Provider, or with options. Source: ONNX Runtime, CUDA Execution Provider
Providers = Sequence[str | tuple[str, dict[str, str]]]
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
FATAL_ONLY = 4  # ONNX Runtime's log severity: its errors reach the user as exceptions


def cuda_options(precision: Precision) -> dict[str, str]:
    """Return the CUDA provider's options for a file of a precision.

    By default the provider computes float32 products in TF32, which rounds their factors to the length of float16. An
    fp32 file must not: its result would be called fp32 and be less exact. A half file must: it has no float32 product
    to lose, and with use_tf32=0 the provider does not use the tensor cores for its half convolutions either.
    "HEURISTIC" takes cuDNN's first choice of a convolution. On an H200 the first image of a size took 0.2 s, not 0.9,
    and later images took the same time (ViT-S, fp16, 518x924).
    Source: ONNX Runtime, CUDA Execution Provider, use_tf32; core/providers/cuda/nn/conv_transpose.cc.
    """
    exact = precision in ("fp32", "int8")
    return {"use_tf32": "0" if exact else "1", "cudnn_conv_algo_search": "HEURISTIC"}


def import_onnxruntime() -> ModuleType:
    """Import onnxruntime or name the extra that brings it; it reports nothing to its maker."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendUnavailable(
            f"onnxruntime cannot be imported ({error}); install it with: pip install 'depthrt[cpu]'"
        ) from error
    if was_loaded_before("onnxruntime"):
        onnxruntime.disable_telemetry_events()
        warn_once(
            "depthrt: onnxruntime was imported before depthrt and may have reported to Microsoft; its reports are off "
            f"from now on; import depthrt first, or set {ORT_SWITCH}=1"
        )
    module: ModuleType = onnxruntime
    return module


def find_providers(ort: ModuleType, device: Device) -> list[str]:
    """Return the providers to ask for, best first.

    The driver is asked before the CUDA provider, which without one prints a screen of text and leaves the cause out.

    Raises:
        BackendUnavailable: Device "cuda" was asked for, and onnxruntime has no CUDA provider or the driver no GPU.
    """
    built_in = ort.get_available_providers()  # those compiled in, usable or not
    if device == "cuda" and CUDA not in built_in:
        raise BackendUnavailable(
            "this onnxruntime has no CUDA provider; install it with: "
            "pip uninstall onnxruntime && pip install 'depthrt[gpu]', or use device='cpu'"
        )
    if device == "cpu" or CUDA not in built_in:
        return [CPU]
    try:
        find_gpu()
    except BackendUnavailable:
        if device == "cuda":
            raise
        return [CPU]
    return [CUDA, CPU]


def run_options(ort: ModuleType) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    """Return options of a run that does not wait for the GPU."""
    options = ort.RunOptions()
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    return options


def first_run_options(ort: ModuleType) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    """Return options of a session's first run on a CPU, after which it keeps no memory.

    Unless the canary's verdict is remembered the first run is the canary's, whose size is seldom that of the images:
    for the small model its memory would be 350 MiB that no later run needs.
    """
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def open_session(ort: ModuleType, path: Path, threads: int, providers: Providers) -> Any:  # noqa: ANN401
    """Open an ONNX file.

    Raises:
        ModelFileError: ONNX Runtime refuses it.
        BackendUnavailable: Memory is short.
    """
    options = session_options(ort, threads)
    # Planned blocks come on top of the arena's memory: 70 MiB more for Depth Anything V2 Small, and no faster.
    options.enable_mem_pattern = False
    with calling("ONNX Runtime", "refuses", path):
        return ort.InferenceSession(str(path), options, providers=providers)


def session_options(ort: ModuleType, threads: int) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    """Return the options that every session has.

    Threads beyond the cores sleep while they wait for work: threads that spin take the cores from those that work. With
    32 threads on two cores an image took 14.0 s, without spinning 0.63 s.
    Sums of int8 products are exact on every CPU: by default ONNX Runtime adds them in 16 bits on an x86 CPU without
    VNNI, where they overflow (a convolution was off by 4 % of its range).
    Source: ONNX Runtime, onnxruntime_session_options_config_keys.h, session.x64quantprecision.
    """
    options = ort.SessionOptions()
    options.log_severity_level = FATAL_ONLY
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.x64quantprecision", "1")
    if threads > usable_cores():
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
