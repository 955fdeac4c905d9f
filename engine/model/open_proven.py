"""Opens a file with the runner that was chosen, tuned or is the default, and has it answer the file's canary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ..cuda.driver.driver import DriverFault, find_gpu
from ..errors import (
    BackendUnavailable,
    BuildError,
    DepthrtError,
    InputError,
    ModelFileError,
    ParityError,
)
from ..modelfile.model_file import ModelFile
from ..modelfile.seal import check_whole
from ..runners.canary_check import check_canary
from ..runners.choice import Choice
from ..runners.open_runner import available_choices, check_options, open_runner
from ..runners.runner import EngineRunner, ImageRunner, Runner
from ..runners.tuning import recall_tuning
from ..system.cores import usable_cores
from ..system.machine import lacks_vnni
from ..terms import Device, Precision
from ..trt.engine_file import EngineFile


@dataclass(frozen=True, slots=True)
class Proven:
    """A runner that answers the canary.

    Args:
        runner: The opened runner, proven by its canary.
        warnings: What went otherwise than asked for or expected, one sentence each.
        remarks: What is worth knowing, one sentence each.
    """

    runner: Runner
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One way to open a file.

    Args:
        open: Opens the runner.
        threads: CPU threads that it uses.
        remarks: What is worth knowing if it is taken, one sentence each.
    """

    open: Callable[[], Runner]
    threads: int = 0
    remarks: tuple[str, ...] = ()


def open_proven(
    file: ModelFile,
    *,
    device: Device,
    threads: int | None,
    choice: Choice | None = None,
    precision: Precision | None = None,
) -> Proven:
    """Open a file and have it answer its canary, once for each file, runner, precision, version and machine.

    Args:
        file: The file; TensorRT runs an engine file, whatever the device and the choice.
        device: "cuda": TensorRT, which builds an engine unless the cache has one, else ONNX Runtime's CUDA. "auto":
            the same without building, else the CPU.
        threads: None takes the cores that this process may use.
        choice: Take this one or fail. None takes what was tuned for the file here, else the default; if that fails,
            the next one replaces it, and a warning says so.
        precision: Take no choice of another precision; None takes any.

    Raises:
        InputError, BackendUnavailable, BuildError, ModelFileError: As open_runner, open_built and TrtRunner.
        ModelFileError: The file was changed since it was exported, or is damaged.
        ParityError: The runner that was asked for by name, or the last one left, departs from the canary.
    """
    check_options(device, threads)
    if not isinstance(file, EngineFile):  # TrtRunner checks the plan
        check_whole(file.path, file.contract)
    asks = device == "auto" and choice is None and not isinstance(file, EngineFile)
    gpu, faults = _ask_driver() if asks else (device == "cuda", ())
    attempts = _list_attempts(file, device, threads or usable_cores(), choice, precision, gpu=gpu)
    failures: list[str] = []
    for attempt in attempts:
        try:
            runner, warnings = _prove(file, attempt)
        except (BackendUnavailable, BuildError, ModelFileError, ParityError) as error:
            failures.append(str(error))
            if attempt is attempts[-1]:
                raise type(error)("; ".join(reversed(failures))) from error
            continue
        used = f"{runner.name} {runner.precision}"
        replaced = (f"{failure}; {used} is used instead" for failure in failures)
        return Proven(runner, (*faults, *replaced, *warnings), (*attempt.remarks, *_unsealed(file)))
    raise AssertionError("there is at least one attempt")


def _list_attempts(
    file: ModelFile,
    device: Device,
    cores: int,
    choice: Choice | None,
    precision: Precision | None,
    *,
    gpu: bool,
) -> list[_Attempt]:
    """Return the ways to open a file, best first; `gpu` says whether this machine has a GPU or must have one."""
    if isinstance(file, EngineFile):
        return [_engine_file(file, precision)]
    onnx = _OnnxAttempts(file, cores)
    if choice is not None:
        return [onnx.on(device, choice)]
    # Without a build for CUDA here, ONNX Runtime is not asked for it: its import costs 30 MiB.
    cuda = device == "cuda" or (gpu and "onnxruntime-gpu" in file.machine.versions)
    if precision not in (None, file.contract.precision):
        choices = () if cuda else available_choices(file.contract, cores)
        return [onnx.on("cpu", found) for found in _of_precision(file, choices, precision)]
    engines, remarks = _engines(file, device) if gpu else ([], ())
    if cuda:
        engines.append(onnx.on("cuda", None, *remarks))
    if device == "cuda":
        return engines
    return [*engines, *onnx.without_gpu("cpu" if cuda else device, precision, remarks)]


@dataclass(frozen=True, slots=True)
class _OnnxAttempts:
    """Makes attempts to open an ONNX file outside TensorRT.

    Args:
        file: The file.
        cores: CPU threads of an attempt without a choice.
    """

    file: ModelFile
    cores: int

    def on(self, device: Device, choice: Choice | None = None, *remarks: str) -> _Attempt:
        """Return an attempt on a device, by a choice or by the device's default."""
        threads = choice.threads if choice else self.cores
        return _Attempt(
            partial(open_runner, self.file, device=device, threads=self.cores, choice=choice), threads, remarks
        )

    def without_gpu(self, device: Device, precision: Precision | None, remarks: tuple[str, ...]) -> list[_Attempt]:
        """Return the attempts on a CPU: first what was tuned, then the default of `device`."""
        tuning = recall_tuning(self.file, self.cores)
        if tuning is not None and precision in (None, tuning.choice.precision):
            second = Choice("openvino", "fp32", tuning.choice.threads)
            between = [second] if tuning.choice.precision == "bf16" else []
            tuned = [self.on("cpu", choice, *remarks, str(tuning)) for choice in (tuning.choice, *between)]
            return [*tuned, self.on(device, None, *remarks, str(tuning))]
        untuned = (_untuned(self.file.path),) if tuning is None and find_spec("openvino") else ()
        return [self.on(device, None, *remarks, *untuned)]


def _engine_file(file: EngineFile, precision: Precision | None) -> _Attempt:
    """Return the attempt to open an engine file."""
    if precision not in (None, file.contract.precision):
        raise InputError(
            f"{file.path} is {file.contract.precision}, precision {precision} was asked for; build an engine of a file "
            f"exported with --precision {precision}"
        )
    from ..trt.runner import TrtRunner

    return _Attempt(partial(TrtRunner, file.path, header=file.header))


def _engines(file: ModelFile, device: Device) -> tuple[list[_Attempt], tuple[str, ...]]:
    """Return the attempts of TensorRT to open an ONNX file; if there are none, a remark says why."""
    from ..trt.runner import TrtRunner, find_plan, open_built

    if device == "cuda":
        return [_Attempt(partial(open_built, file))], ()
    try:
        plan = find_plan(file)
    except DepthrtError as error:
        return [], (f"TensorRT is not used: {error}",)
    if plan is not None:
        return [_Attempt(partial(TrtRunner, file.path, plan=plan))], ()
    remark = f"no TensorRT engine of {file.path} is in the cache, and none is built unasked; device='cuda' builds one"
    return [], (remark,)


def _ask_driver() -> tuple[bool, tuple[str, ...]]:
    """Return whether this machine has a GPU, and a warning if it has a driver that does not start."""
    try:
        find_gpu()
    except DriverFault as error:
        return False, (f"{error}; the CPU is used",)
    except BackendUnavailable:
        return False, ()
    return True, ()


def _of_precision(file: ModelFile, choices: Sequence[Choice], precision: Precision | None) -> list[Choice]:
    """Return the choices that run a file at another precision than its own."""
    found = [choice for choice in choices if choice.precision == precision]
    if not found:
        raise InputError(
            f"{file.path} is {file.contract.precision}, precision {precision} was asked for and no runner here "
            f"computes it so; export the checkpoint again with --precision {precision}"
        )
    return found


def _unsealed(file: ModelFile) -> tuple[str, ...]:
    """Return a remark about a file that changes are not noticed in."""
    if file.contract.digest is not None or isinstance(file, EngineFile):
        return ()
    made_by = file.contract.producer
    return (f"{file.path} has no digest ({made_by} wrote it), so a changed meaning is not noticed; export it again",)


def _untuned(path: Path) -> str:
    return f"nothing is tuned for this file on this machine; `depthrt tune {path}` finds the fastest way to run it"


def _prove(file: ModelFile, attempt: _Attempt) -> tuple[Runner, tuple[str, ...]]:
    """Open a runner and check its answer to the canary; close it if it fails. Return it and warnings."""
    runner = attempt.open()
    try:
        if isinstance(runner, EngineRunner):
            size_px = runner.contract.canary.size_px
            if not runner.takes(size_px):
                return runner, (_unasked(size_px),)
        verdict = check_canary(runner, file, threads=attempt.threads)
        if verdict is not None and not verdict.passed:
            raise ParityError(
                f"{runner.name} {runner.precision} on {runner.provider} does not answer {file.path} as "
                f"{_reference(file)}: {verdict}; {_reason(file)}"
            )
        if isinstance(runner, ImageRunner):
            runner.free_batches()
    except BaseException:
        runner.close()
        raise
    return runner, ()


def _reference(file: ModelFile) -> str:
    """Return what the canary's answer is of: an adopted file has its own."""
    return "its checkpoint does" if file.contract.adopted is None else "ONNX Runtime did when it was adopted"


def _reason(file: ModelFile) -> str:
    """Return what a departure from the canary can mean."""
    if file.contract.precision == "int8" and lacks_vnni():
        return "this CPU has no VNNI, which int8 files are made for: export the checkpoint with --precision fp32"
    return "if every runner says so the file is damaged: export it again"


def _unasked(size_px: tuple[int, int]) -> str:
    return f"the engine takes no input of {size_px[0]}x{size_px[1]}, so its answer to the canary is not known"
