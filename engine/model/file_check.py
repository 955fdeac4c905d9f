"""Checks a file with all that it carries: the hashes of its bytes, and its canary where a runner opens it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import BackendUnavailable, BuildError, InputError, ModelFileError, ParityError
from ..modelfile.contract import ENGINE_SUFFIX
from ..modelfile.model_file import ModelFile, open_model_file
from ..modelfile.seal import check_whole
from ..runners.canary_check import ask_canary
from ..runners.runner import EngineRunner
from ..trt.engine_file import EngineFile, open_engine_file
from ..trt.plan_file import read_plan
from .open_proven import open_proven

Outcome = Literal["right", "wrong", "not checked"]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A check of a file.

    Args:
        what: "sha256" or "canary".
        outcome: Of the check.
        detail: What was compared, what is wrong, or why it was not checked; a sentence.
    """

    what: str
    outcome: Outcome
    detail: str


def check_file(path: str | Path) -> tuple[FileCheck, ...]:
    """Verify every hash of a model file or an engine, which needs no GPU, and ask the canary where a runner opens it.

    Raises:
        InputError: The file is neither.
        ModelFileError, ContractError: Its contract or header cannot be read.
    """
    path = Path(path)
    if path.suffix == ENGINE_SUFFIX:
        file: ModelFile = open_engine_file(path)
    elif path.suffix == ".onnx":
        file = open_model_file(path)
    else:
        raise InputError(f"{path} carries no hash of itself; give a model file (.onnx) or an engine (.engine)")
    sums = _check_sums(file)
    if sums.outcome == "wrong":
        return sums, FileCheck("canary", "not checked", "the file is damaged")
    return sums, _check_canary(file)


def _check_sums(file: ModelFile) -> FileCheck:
    digest = file.contract.digest
    try:
        if isinstance(file, EngineFile):
            read_plan(file.path, file.header)
            return FileCheck("sha256", "right", "of the header and of the plan")
        if digest is None:
            made_by = file.contract.producer
            return FileCheck("sha256", "not checked", f"{made_by} wrote no digest into the file; export it again")
        check_whole(file.path, file.contract, thorough=True)
    except ModelFileError as error:
        return FileCheck("sha256", "wrong", str(error))
    beside = f" and of {', '.join(weights.name for weights in digest.weights)}" if digest.weights else ""
    return FileCheck("sha256", "right", f"of the file, its contract{beside}")


def _check_canary(file: ModelFile) -> FileCheck:
    """Ask the runner that a load would take, whatever verdict is remembered."""
    try:
        opened = open_proven(file, device="auto", threads=None)
        with closing(opened.runner) as runner:
            if isinstance(runner, EngineRunner) and not runner.takes(runner.contract.canary.size_px):
                return FileCheck("canary", "not checked", "; ".join(opened.warnings))
            verdict = ask_canary(runner, file.contract)
    except BackendUnavailable as error:
        return FileCheck("canary", "not checked", str(error))
    except (BuildError, ModelFileError, ParityError) as error:
        return FileCheck("canary", "wrong", str(error))
    used = f"{runner.name} {runner.precision} on {runner.provider}"
    detail = "; ".join([f"{used}: {verdict}", *opened.warnings])
    return FileCheck("canary", "right" if verdict.passed else "wrong", detail)
