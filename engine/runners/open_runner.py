"""Lists the ways to run a file on this machine's CPU, and opens a runner."""

from __future__ import annotations

import numpy as np

from ..errors import BackendUnavailable, InputError
from ..modelfile.contract import Contract
from ..modelfile.model_file import ModelFile
from ..system.cache.folder import warn_once
from ..system.cores import usable_cores
from ..terms import CPU_RUNNERS, DEVICES, Device
from .choice import Choice
from .runner import Runner

MOST_THREADS = 1024  # ONNX Runtime starts each of them


def open_runner(file: ModelFile, *, device: Device, threads: int | None, choice: Choice | None = None) -> Runner:
    """Open an ONNX file on a CPU as `choice` has it; without a choice in ONNX Runtime at the file's precision.

    Nothing is recalled and the canary is not asked here: `open_proven` does both.

    Raises:
        InputError: An unknown device, an absurd number of threads, or a choice beside device "cuda".
        BackendUnavailable: The device or the choice was asked for by name and does not work here.
    """
    check_options(device, threads)
    if choice is None:
        from .ort_runner import OrtRunner

        return OrtRunner(file, device=device, threads=threads or usable_cores())
    if device == "cuda":
        raise InputError(f"choice {choice} is for a CPU, device cuda was asked for; give one of the two")
    check_threads(choice.threads)
    return _open_choice(file, choice)


def check_options(device: Device, threads: int | None) -> None:
    """Raise InputError for an unknown device, or as check_threads."""
    if device not in DEVICES:
        raise InputError(f"device {device!r} found, expected one of {', '.join(DEVICES)}")
    if threads is not None:
        check_threads(threads)


def check_threads(threads: int) -> None:
    """Raise InputError for a number of threads that no runner can use; warn once of more threads than cores."""
    cores = usable_cores()
    most = max(MOST_THREADS, cores)
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or not 1 <= threads <= most:
        raise InputError(f"threads {threads!r} found, expected 1 to {most}")
    if threads > cores:
        warn_once(
            f"depthrt: {threads} threads were asked for, and this process may use {cores} "
            f"core{'s' if cores > 1 else ''}; more threads than cores are not faster"
        )


def available_choices(contract: Contract, threads: int) -> tuple[Choice, ...]:
    """Return every way to run a file on this machine's CPU; the first is the default."""
    from .openvino_runner import cpu_precisions, sums_int8_exactly

    default = Choice("onnxruntime", contract.precision, threads)
    precisions = cpu_precisions()
    if contract.precision == "int8":  # some of its layers are float32; OpenVINO computes those in bf16 as well
        exact = bool(precisions) and sums_int8_exactly()
        precisions = tuple("int8" if precision == "fp32" else precision for precision in precisions if exact)
    return (default, *(Choice("openvino", precision, threads) for precision in precisions))


def _open_choice(file: ModelFile, choice: Choice) -> Runner:
    if choice.runner == "openvino":
        from .openvino_runner import OpenVinoRunner

        return OpenVinoRunner(file, precision=choice.precision, threads=choice.threads)
    if choice.runner != "onnxruntime":
        raise InputError(f"runner {choice.runner!r} found, expected {' or '.join(CPU_RUNNERS)}")
    if choice.precision != file.contract.precision:
        raise BackendUnavailable(
            f"ONNX Runtime runs {file.path} in its precision, {file.contract.precision}; {choice.precision} was "
            "asked for"
        )
    from .ort_runner import OrtRunner

    return OrtRunner(file, device="cpu", threads=choice.threads)
