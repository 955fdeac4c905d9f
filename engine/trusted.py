"""Opens the runner to use for a file: the one chosen, recalled or safe, and proven by the file's canary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .choice import Choice, recall_tuning
from .contract import Contract, Precision
from .cores import usable_cores
from .errors import BackendUnavailable, InputError, ModelFileError, ParityError
from .machine import runtime_versions
from .runner import Device, Runner, available_choices, check_options, open_runner
from .verdicts import check_canary


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
    """One runner to try; without a choice it is the device's own."""

    device: Device
    choice: Choice | None = None


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
        path: The file.
        contract: Read from it.
        device: As in open_runner.
        threads: None takes the cores that this process may use.
        choice: Take this one or fail. None takes what was tuned for the file here, else the safe default; one
            that fails is replaced by the next, and that is a warning.
        precision: Take no choice of another; None takes any.

    Raises:
        InputError, BackendUnavailable, ModelFileError: As open_runner.
        ParityError: What was asked for by name, or the last runner left, departs from the canary.
    """
    check_options(device, threads)
    cores = threads or usable_cores()
    tries, remark = _plan(path, contract, device, cores, choice, precision)
    failures: list[str] = []
    for number, one in enumerate(tries):
        try:
            runner = _open_proven(path, contract, one, cores)
        except (BackendUnavailable, ModelFileError, ParityError) as error:
            if number + 1 == len(tries):
                raise
            failures.append(str(error))
            continue
        used = f"{runner.name} {runner.precision}"
        return Trusted(runner, tuple(f"{failure}; {used} is used instead" for failure in failures), remark)
    raise AssertionError("a plan has a runner to try")


def _plan(
    path: Path,
    contract: Contract,
    device: Device,
    cores: int,
    choice: Choice | None,
    precision: Precision | None,
) -> tuple[list[_Try], tuple[str, ...]]:
    """Return what to try, best first, and remarks."""
    if choice is not None:
        return [_Try(device, choice)], ()
    # What a build for CUDA says of itself costs its import, 30 MiB that another runner has no use for.
    cuda = device == "cuda" or (device == "auto" and "onnxruntime-gpu" in runtime_versions())
    if precision not in (None, contract.precision):
        choices = () if cuda else available_choices(contract, cores)
        return _of_precision(path, contract, choices, precision), ()
    if cuda:
        return [_Try(device), *([_Try("cpu")] if device == "auto" else [])], ()
    tuning = recall_tuning(path, contract, cores)
    if tuning is None:
        return [_Try(device)], (_untuned(path),) if find_spec("openvino") else ()
    if precision not in (None, tuning.choice.precision):
        return [_Try(device)], ()
    second = Choice("openvino", "fp32", tuning.choice.threads)
    between = [_Try("cpu", second)] if tuning.choice.precision == "bf16" else []
    return [_Try("cpu", tuning.choice), *between, _Try(device)], (str(tuning),)


def _of_precision(path: Path, contract: Contract, choices: Sequence[Choice], precision: Precision | None) -> list[_Try]:
    """Return what runs a file at another precision than its own."""
    found = [_Try("cpu", one) for one in choices if one.precision == precision]
    if not found:
        raise InputError(
            f"{path} is {contract.precision}, precision {precision} was asked for and no runner here computes it so; "
            f"export the checkpoint again with --precision {precision}"
        )
    return found


def _untuned(path: Path) -> str:
    return f"nothing is tuned for this file on this machine; `depthrt tune {path}` finds the fastest way to run it"


def _open_proven(path: Path, contract: Contract, one: _Try, cores: int) -> Runner:
    """Open a runner and check its canary; it is closed where it fails."""
    runner = open_runner(path, contract, device=one.device, threads=cores, choice=one.choice)
    try:
        verdict = check_canary(runner, path, contract, threads=one.choice.threads if one.choice else cores)
        if verdict is not None and not verdict.passed:
            raise ParityError(
                f"{runner.name} {runner.precision} on {runner.provider} does not answer {path} as its checkpoint "
                f"does: {verdict}; where every runner says so the file is damaged: export it again"
            )
    except BaseException:
        runner.close()
        raise
    return runner
