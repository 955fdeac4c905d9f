"""Asks a runner for a model file's canary and judges the answer; a good verdict is remembered, so it is asked once."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ContractError, InputError
from ..modelfile.canary import canary_drift, canary_input, canary_slope
from ..modelfile.contract import Canary, Contract
from ..modelfile.model_file import ModelFile
from ..modelfile.seal import sum_bytes
from ..system.cache.store import REMEDY, Store
from ..system.field_types import NotNegative
from ..system.records import read_record, to_json_object
from ..terms import Precision
from .runner import EngineRunner, ImageRunner, Runner

STORE = Store("verdicts", content="verdict", most=256)  # a few hundred bytes each; 1 MiB in disk blocks

# Largest drift on the canary, of the answer's 2-98 % range. Ten random networks and Depth Anything V2 Small measured
# 1e-6 in float32, 9e-4 in fp16 files and 6e-3 in bf16; the room above is for other CPUs, networks and sums.
DRIFT: dict[Precision, float] = {"fp32": 1e-4, "fp16": 5e-3, "fp16-safe": 5e-3, "bf16": 3e-2, "int8": 1.5e-2}
# Largest distance of the slope from 1, so that a scale off by 2 % shows at every precision. The same networks
# measured 4e-7, 1e-3 and 4e-3; the convolutions of the model that comes with depthrt measured 1.1e-2 in bf16.
SLOPE: dict[Precision, float] = {"fp32": 1e-3, "fp16": 5e-3, "fp16-safe": 5e-3, "bf16": 1.5e-2, "int8": 1e-2}

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of a runner's answer to the canary.

    Args:
        drift, slope: As canary_drift and canary_slope return them.
        drift_bound: Largest drift allowed.
        slope_bound: Largest distance of the slope from 1 allowed.
    """

    drift: NotNegative
    slope: float
    drift_bound: NotNegative
    slope_bound: NotNegative

    @property
    def passed(self) -> bool:
        """Whether both numbers are within their bounds; nan is not."""
        return self.drift <= self.drift_bound and abs(self.slope - 1) <= self.slope_bound

    def __str__(self) -> str:
        """Return the numbers in a sentence."""
        return (
            f"drift {self.drift:.2g} on the canary, at most {self.drift_bound:.2g} allowed; "
            f"slope {self.slope:.4g}, allowed {1 - self.slope_bound:.4g} to {1 + self.slope_bound:.4g}"
        )


def check_canary(runner: Runner, file: ModelFile, *, threads: int) -> Verdict | None:
    """Ask a runner for the canary, unless a good verdict is remembered on this machine.

    A bad verdict is not remembered: the next load asks again.

    Args:
        runner: The runner that holds the file.
        file: The file; the canary of a TensorRT engine is that of the engine's contract.
        threads: That the runner uses.

    Returns:
        The verdict, or None if a good one is remembered.

    Raises:
        ContractError: The canary does not fit the output.
    """
    if isinstance(runner, EngineRunner):
        file = file.with_contract(runner.contract)
    key, bounds = _key(runner, file, threads), _bounds(runner, file.contract)
    known = STORE.recall(key, lambda content: _read_verdict(content, bounds), remedy="the canary is asked again")
    if known is not None:
        return None
    verdict = ask_canary(runner, file.contract)
    if verdict.passed:
        try:
            STORE.remember(key, to_json_object(verdict))
        except (InputError, OSError) as error:  # costs the next load an inference
            logger.debug("depthrt: a verdict is not remembered: %s", error)
    return verdict


def ask_canary(runner: Runner, contract: Contract) -> Verdict:
    """Ask a runner for the canary, whatever is remembered; see check_canary.

    Args:
        contract: Of the runner's file; the canary of a TensorRT engine is that of the engine's contract.
    """
    contract = runner.contract if isinstance(runner, EngineRunner) else contract
    canary = canary_input(contract.canary.size_px, contract.mean, contract.std)
    batch = np.repeat(canary, contract.batch or 1, axis=0)
    return judge(contract.canary, runner.run(batch)[0], *_bounds(runner, contract))


def judge(canary: Canary, output: NDArray[np.float32], drift_bound: float, slope_bound: float) -> Verdict:
    """Return the verdict of an output (h, w) on the canary."""
    return Verdict(canary_drift(canary, output), canary_slope(canary, output), drift_bound, slope_bound)


def _bounds(runner: Runner, contract: Contract) -> tuple[float, float]:
    """Return the drift and the distance of the slope from 1 that the runner's and the file's precision allow."""
    rounded: list[Precision] = [runner.precision, contract.precision]
    if isinstance(runner, EngineRunner) and runner.tf32:
        rounded.append("fp16")
    own = contract.canary.tolerance if runner.precision == contract.precision else 0.0
    return max(own, *(DRIFT[precision] for precision in rounded)), max(SLOPE[precision] for precision in rounded)


def _key(runner: Runner, file: ModelFile, threads: int) -> dict[str, object]:
    """Return all that a verdict depends on."""
    key = file.identity | {
        "runner": runner.name,
        "provider": runner.provider,
        "precision": runner.precision,
        "threads": threads,
        **file.machine.key(),
    }
    if isinstance(runner, ImageRunner) and runner.pipeline is not None:
        key["pipeline"] = True  # the network works on depthrt's stream and memory
    if isinstance(runner, EngineRunner):
        key["plan_sha256"] = runner.plan_sha256  # it stands for TensorRT's version too
    elif file.contract.digest is None:  # bits that flip leave size and time as they are
        key["crc32"] = sum_bytes(file)
    return key


def _read_verdict(content: object, bounds: tuple[float, float]) -> Verdict:
    """Return a remembered verdict, which must be good within the bounds of today."""
    verdict = read_record(Verdict, content, name="verdict", remedy=REMEDY)
    if (verdict.drift_bound, verdict.slope_bound) != bounds:
        raise ContractError(f"a verdict within other bounds is remembered: {verdict}")
    if not verdict.passed:
        raise ContractError(f"a refusal is remembered: {verdict}")
    return verdict
