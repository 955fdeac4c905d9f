"""Whether a runner answers a model file's canary, and the memory of those that did, so that it is asked once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ContractError, InputError
from ..modelfile.canary import canary_drift, canary_input, canary_slope
from ..modelfile.contract import Canary, Contract
from ..modelfile.file_identity import identify_file
from ..system.cache.folder import cache_dir, digest, known_dir
from ..system.field_types import NotNegative
from ..system.files import atomic_path
from ..system.json_object import parse_object
from ..system.machine import describe_cpu, runtime_versions
from ..system.records import read_record
from ..terms import Precision
from .runner import EngineRunner, ImageRunner, Runner

FORMAT = 1  # version of what is remembered; others are not read
REMEMBERED = 256  # verdicts, a few hundred bytes each; the oldest go
_FOLDER = "verdicts"
_REMEDY = "the canary is asked again"

# Largest drift on the canary, of the answer's 2-98 % range. Ten random networks and Depth Anything V2 Small measured
# 1e-6 in float32, 9e-4 in fp16 files and 6e-3 in bf16; the room above is for other CPUs, networks and sums.
DRIFT: dict[Precision, float] = {"fp32": 1e-4, "fp16": 5e-3, "fp16-safe": 5e-3, "bf16": 3e-2, "int8": 1.5e-2}
# Largest distance of the slope from 1, so that a scale off by 2 % shows at every precision. The same networks
# measured 4e-7, 1e-3 and 4e-3; the convolutions of the model that comes with depthrt measured 1.1e-2 in bf16.
SLOPE: dict[Precision, float] = {"fp32": 1e-3, "fp16": 5e-3, "fp16-safe": 5e-3, "bf16": 1.5e-2, "int8": 1e-2}

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a runner answered the canary.

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
        """Return the numbers for people."""
        return (
            f"drift {self.drift:.2g} on the canary, at most {self.drift_bound:.2g} allowed; "
            f"slope {self.slope:.4g}, allowed {1 - self.slope_bound:.4g} to {1 + self.slope_bound:.4g}"
        )


def check_canary(runner: Runner, path: Path, contract: Contract, *, threads: int) -> Verdict | None:
    """Ask a runner for the canary, unless it answered well before on this machine.

    A refusal is not remembered: the next load asks again.

    Args:
        runner: That holds the file.
        path: The file.
        contract: Read from it.
        threads: That the runner uses.

    Returns:
        The verdict, or None where a good one is remembered.

    Raises:
        ContractError: The canary is of a formula that this version does not know.
    """
    key = identify_file(path, contract) | {
        "runner": runner.name,
        "provider": runner.provider,
        "precision": runner.precision,
        "threads": threads,
        "versions": runtime_versions(),
        "cpu": describe_cpu(),
    }
    if isinstance(runner, ImageRunner) and runner.pipeline is not None:
        key["pipeline"] = True  # the network works on a stream and in memory of ours
    if isinstance(runner, EngineRunner):
        key["plan_sha256"] = runner.plan_sha256  # it stands for TensorRT's version too
    name = f"{digest(key)}.json"
    known = known_dir(_FOLDER)
    if known is not None and _is_remembered(known / name, key):
        return None
    canary = canary_input(contract.canary.size_px, contract.mean, contract.std)
    batch = np.repeat(canary, contract.batch or 1, axis=0)
    verdict = judge(contract.canary, runner.run(batch)[0], *_bounds(runner, contract))
    if verdict.passed and (folder := cache_dir(_FOLDER)) is not None:
        _remember(folder / name, key, verdict)
    return verdict


def judge(canary: Canary, output: NDArray[np.float32], drift_bound: float, slope_bound: float) -> Verdict:
    """Return the verdict on an output (h, w) of the canary."""
    return Verdict(canary_drift(canary, output), canary_slope(canary, output), drift_bound, slope_bound)


def _bounds(runner: Runner, contract: Contract) -> tuple[float, float]:
    """Return the largest drift and the largest distance of the slope from 1, for what runs and what is stored."""
    rounded: list[Precision] = [runner.precision, contract.precision]
    if isinstance(runner, EngineRunner) and runner.tf32:
        rounded.append("fp16")
    own = contract.canary.tolerance if runner.precision == contract.precision else 0.0
    return max(own, *(DRIFT[one] for one in rounded)), max(SLOPE[one] for one in rounded)


def _is_remembered(file: Path, key: Mapping[str, object]) -> bool:
    try:
        found = parse_object(file.read_bytes(), name="the entry", remedy=_REMEDY)
        verdict = read_record(Verdict, found.get("verdict"), name="verdict", remedy=_REMEDY)
    except (OSError, ContractError):
        return False
    return found.get("format") == FORMAT and found.get("key") == key and verdict.passed


def _remember(file: Path, key: Mapping[str, object], verdict: Verdict) -> None:
    """Write a verdict; a disk that refuses costs the next load an inference and nothing else."""
    text = json.dumps({"format": FORMAT, "key": key, "verdict": asdict(verdict)}, indent=1)
    try:
        with atomic_path(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
        _forget_oldest(file.parent)
    except (InputError, OSError) as error:
        logger.debug("depthrt: a verdict is not remembered: %s", error)


def _forget_oldest(folder: Path) -> None:
    newest_first = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in newest_first[REMEMBERED:]:
        with suppress(OSError):  # another process removed it
            file.unlink()
