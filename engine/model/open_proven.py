"""Opens the runner to use for a file: the one chosen, recalled or safe, and proven by the file's canary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from ..cuda.driver.driver import DriverFault, find_gpu
from ..errors import BackendUnavailable, BuildError, DepthrtError, InputError, ModelFileError, ParityError
from ..modelfile.contract import Contract
from ..runners.canary_check import check_canary
from ..runners.choice import Choice
from ..runners.open_runner import available_choices, check_options, open_runner
from ..runners.runner import EngineRunner, ImageRunner, Runner
from ..runners.tuning import recall_tuning
from ..system.cores import usable_cores
from ..system.machine import runtime_versions
from ..terms import Device, Precision

ENGINE_SUFFIX = ".engine"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A runner that answers the canary.

    Args:
        runner: It.
        warnings: What went otherwise than asked for or expected, one sentence each.
        remarks: What is worth knowing, one sentence each.
    """

    runner: Runner
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Try:
    """One runner to try: what opens it, the CPU threads that it uses, and what is worth knowing where it is taken."""

    open: Callable[[], Runner]
    threads: int = 0
    remarks: tuple[str, ...] = ()


def open_trusted(
    path: Path,
    contract: Contract,
    *,
    device: Device,
    threads: int | None,
    choice: Choice | None = None,
    precision: Precision | None = None,
) -> Trusted:
    """Open a file and have it answer its canary, once per file, runner, precision, version and machine.

    Args:
        path: The file; an engine file is run by TensorRT, whatever the device and the choice.
        contract: Read from it.
        device: "cuda": TensorRT, whose engine is built where none is in the cache, else ONNX Runtime there.
            "auto": the same without building, else the CPU.
        threads: None takes the cores that this process may use.
        choice: Take this one or fail. None takes what was tuned for the file here, else the safe default; one
            that fails is replaced by the next, and that is a warning.
        precision: Take no choice of another; None takes any.

    Raises:
        InputError, BackendUnavailable, BuildError, ModelFileError: As open_runner, open_built and TrtRunner.
        ParityError: What was asked for by name, or the last runner left, departs from the canary.
    """
    check_options(device, threads)
    asks = device == "auto" and choice is None and path.suffix != ENGINE_SUFFIX
    gpu, faults = _ask_driver() if asks else (device == "cuda", ())
    tries = _plan(path, contract, device, threads or usable_cores(), choice, precision, gpu=gpu)
    failures: list[str] = []
    for one in tries:
        try:
            runner, warnings = _open_proven(path, contract, one)
        except (BackendUnavailable, BuildError, ModelFileError, ParityError) as error:
            failures.append(str(error))
            if one is tries[-1]:
                raise type(error)("; ".join(reversed(failures))) from error
            continue
        used = f"{runner.name} {runner.precision}"
        replaced = (f"{failure}; {used} is used instead" for failure in failures)
        return Trusted(runner, (*faults, *replaced, *warnings), one.remarks)
    raise AssertionError("a plan has a runner to try")


def _plan(
    path: Path,
    contract: Contract,
    device: Device,
    cores: int,
    choice: Choice | None,
    precision: Precision | None,
    *,
    gpu: bool,
) -> list[_Try]:
    """Return what to try, best first; `gpu` says whether a GPU is there or must be."""
    if path.suffix == ENGINE_SUFFIX:
        return [_engine_file(path, contract, precision)]
    how = _Ways(path, contract, cores)
    if choice is not None:
        return [how.on(device, choice)]
    # What a build for CUDA says of itself costs its import, 30 MiB that another runner has no use for.
    cuda = device == "cuda" or (gpu and "onnxruntime-gpu" in runtime_versions())
    if precision not in (None, contract.precision):
        choices = () if cuda else available_choices(contract, cores)
        return [how.on("cpu", one) for one in _of_precision(path, contract, choices, precision)]
    engines, remarks = _engines(path, device) if gpu else ([], ())
    if cuda:
        engines.append(how.on("cuda", None, *remarks))
    if device == "cuda":
        return engines
    return [*engines, *_without_gpu(how, "cpu" if cuda else device, precision, remarks)]


def _without_gpu(how: _Ways, device: Device, precision: Precision | None, remarks: tuple[str, ...]) -> list[_Try]:
    """Return how a CPU runs a file: as was tuned, then as `device` does by itself."""
    tuning = recall_tuning(how.path, how.contract, how.cores)
    if tuning is not None and precision in (None, tuning.choice.precision):
        second = Choice("openvino", "fp32", tuning.choice.threads)
        between = [second] if tuning.choice.precision == "bf16" else []
        tuned = [how.on("cpu", one, *remarks, str(tuning)) for one in (tuning.choice, *between)]
        return [*tuned, how.on(device, None, *remarks, str(tuning))]
    untuned = (_untuned(how.path),) if tuning is None and find_spec("openvino") else ()
    return [how.on(device, None, *remarks, *untuned)]


@dataclass(frozen=True, slots=True)
class _Ways:
    """What makes tries of an ONNX file outside TensorRT."""

    path: Path
    contract: Contract
    cores: int

    def on(self, device: Device, choice: Choice | None = None, *remarks: str) -> _Try:
        """Return how a file is opened on a device, by a choice or as the device does by itself."""
        threads = choice.threads if choice else self.cores
        runner = partial(open_runner, self.path, self.contract, device=device, threads=self.cores, choice=choice)
        return _Try(runner, threads, remarks)


def _engine_file(path: Path, contract: Contract, precision: Precision | None) -> _Try:
    """Return how an engine file is opened."""
    if precision not in (None, contract.precision):
        raise InputError(
            f"{path} is {contract.precision}, precision {precision} was asked for; build an engine of a file exported "
            f"with --precision {precision}"
        )
    from ..trt.runner import TrtRunner

    return _Try(partial(TrtRunner, path))


def _engines(path: Path, device: Device) -> tuple[list[_Try], tuple[str, ...]]:
    """Return how TensorRT opens an ONNX file, and what is worth knowing where it does not."""
    from ..trt.runner import TrtRunner, find_plan, open_built

    if device == "cuda":
        return [_Try(partial(open_built, path))], ()
    try:
        plan = find_plan(path)
    except DepthrtError as error:
        return [], (f"TensorRT is not used: {error}",)
    if plan is not None:
        return [_Try(partial(TrtRunner, path, plan=plan))], ()
    return [], (f"no TensorRT engine of {path} is in the cache, and none is built unasked; device='cuda' builds one",)


def _ask_driver() -> tuple[bool, tuple[str, ...]]:
    """Return whether a GPU is there, and why not where there is a driver that does not start."""
    try:
        find_gpu()
    except DriverFault as error:
        return False, (f"{error}; the CPU is used",)
    except BackendUnavailable:
        return False, ()
    return True, ()


def _of_precision(
    path: Path, contract: Contract, choices: Sequence[Choice], precision: Precision | None
) -> list[Choice]:
    """Return what runs a file at another precision than its own."""
    found = [one for one in choices if one.precision == precision]
    if not found:
        raise InputError(
            f"{path} is {contract.precision}, precision {precision} was asked for and no runner here computes it so; "
            f"export the checkpoint again with --precision {precision}"
        )
    return found


def _untuned(path: Path) -> str:
    return f"nothing is tuned for this file on this machine; `depthrt tune {path}` finds the fastest way to run it"


def _open_proven(path: Path, contract: Contract, one: _Try) -> tuple[Runner, tuple[str, ...]]:
    """Open a runner and check its canary; it is closed where it fails. Return it and warnings."""
    runner = one.open()
    try:
        if isinstance(runner, EngineRunner):
            contract = runner.contract
            if not runner.takes(contract.canary.size_px):
                return runner, (_unasked(contract.canary.size_px),)
        verdict = check_canary(runner, path, contract, threads=one.threads)
        if verdict is not None and not verdict.passed:
            raise ParityError(
                f"{runner.name} {runner.precision} on {runner.provider} does not answer {path} as its checkpoint "
                f"does: {verdict}; where every runner says so the file is damaged: export it again"
            )
        if isinstance(runner, ImageRunner):
            runner.free_batches()
    except BaseException:
        runner.close()
        raise
    return runner, ()


def _unasked(size_px: tuple[int, int]) -> str:
    return f"the engine takes no input of {size_px[0]}x{size_px[1]}, so its answer to the canary is not known"
