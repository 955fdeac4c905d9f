"""What `depthrt tune` found on this machine, remembered in the cache."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from ..errors import ContractError, InputError
from ..modelfile.contract import Contract
from ..modelfile.file_identity import identify_file
from ..system.cache.folder import cache_dir, digest, known_dir
from ..system.field_types import Length, Name, NotNegative, Positive, Sentence, Share
from ..system.files import atomic_path
from ..system.json_object import parse_object
from ..system.machine import describe_cpu, runtime_versions
from ..system.records import Mismatch, read_record
from .choice import Choice

FORMAT = 1  # version of the JSON below; a reader refuses others
_FOLDER = "choices"
_REMEDY = "tune again"
_ROUNDING = 1e-5  # of the range; sums in another order differ by as much
logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice as it was measured on this machine.

    Args:
        choice: What was tried.
        median_ms, p90_ms: From image array to depth array; None where it failed.
        drift: Mean absolute difference from float32 over the reference's 2-98 % range; None where it failed.
        failure: Why it has no figures or cannot be taken; "" where nothing is amiss.
    """

    choice: Choice
    median_ms: Positive | None
    p90_ms: Positive | None
    drift: NotNegative | None
    failure: Sentence = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What `depthrt tune` found for a model file on this machine.

    Args:
        choice: The one to use.
        speed: How many times as fast as the default it is.
        drift: Of the choice, as in Trial.
        budget: Largest drift that was accepted.
        made: When, ISO 8601, UTC.
        trials: Everything that was measured.
    """

    choice: Choice
    speed: Positive
    drift: NotNegative
    budget: Share
    made: Name
    trials: Annotated[tuple[Trial, ...], Length(0, 1000)]

    def check(self) -> None:
        """Raise Mismatch if the choice drifts more than was accepted."""
        if self.drift > max(self.budget, _ROUNDING):
            raise Mismatch(".drift", f"is {self.drift:g}, expected at most the budget, {self.budget:g}")

    def __str__(self) -> str:
        """Return the sentence that belongs to results: what it gained and what it cost."""
        drift = f"a drift of {100 * self.drift:.2g} %" if self.drift > _ROUNDING else "no drift"
        if self.speed == 1:
            return f"tuned: {self.choice}, which is the default, is the fastest at {drift}"
        return f"tuned: {self.choice}, {self.speed:.2g} times as fast as the default at {drift}"


def remember_choice(path: str | Path, contract: Contract, threads: int, tuning: Tuning) -> Path | None:
    """Remember what was tuned for a model file; what was remembered for it before is replaced.

    Args:
        path: The model file.
        contract: Read from it.
        threads: That a load asks for, or the cores that the process may use; the choice can have fewer.
        tuning: What was found.

    Returns:
        The file written, or None where this machine has no cache, which is said.

    Raises:
        InputError: The disk refuses.
    """
    folder = cache_dir(_FOLDER)
    if folder is None:
        return None
    key = _key(Path(path), contract, threads)
    file = folder / f"{digest(key)}.json"
    found = {"format": FORMAT, "path": str(Path(path).absolute()), "key": key, "tuning": asdict(tuning)}
    with atomic_path(file) as temporary:
        temporary.write_text(json.dumps(found, indent=1, allow_nan=False), encoding="utf-8")
    return file


def recall_choice(path: str | Path, contract: Contract, threads: int) -> Choice | None:
    """Return the choice to use for a model file, or None where none is remembered; see `recall_tuning`."""
    tuning = recall_tuning(path, contract, threads)
    return tuning.choice if tuning else None


def recall_tuning(path: str | Path, contract: Contract, threads: int) -> Tuning | None:
    """Return what was tuned for this very file with these threads on this machine; never raises.

    What cannot be read counts as not there, and that is said.
    """
    file = None
    try:
        file = _find(Path(path), contract, threads)
        return _read(file, _key(Path(path), contract, threads)) if file else None
    except Exception as error:  # whatever is wrong with a cache, it must not stop a model from loading
        reason = " ".join(str(error).split()) or type(error).__name__
        logger.warning(
            "depthrt: the choice remembered in %s cannot be used (%s); `depthrt tune %s` makes a new one",
            file,
            reason,
            path,
        )
        return None


def recall_tunings(path: str | Path, contract: Contract, threads: int) -> dict[int, Tuning]:
    """Return all that was tuned for this very file on this machine, by the threads that a load asks for.

    Args:
        path: The model file.
        contract: Read from it.
        threads: What cannot be read is said for these alone; among the rest nobody knows whose it is.

    Raises:
        ModelFileError: The file is gone since its contract was read.
    """
    asked = {threads, *_threads_of(Path(path), contract)}
    found = {one: recall_tuning(path, contract, one) for one in sorted(asked)}
    return {one: tuning for one, tuning in found.items() if tuning is not None}


def forget_choice(path: str | Path, contract: Contract, threads: int) -> Path | None:
    """Remove what is remembered for a model file; return the file that was removed, None where there was none."""
    file = _find(Path(path), contract, threads)
    if file is None:
        return None
    try:
        file.unlink()
    except OSError as error:
        raise InputError(f"{file} cannot be removed: {error.strerror or error}; check its rights") from error
    return file


def _find(path: Path, contract: Contract, threads: int) -> Path | None:
    """Return the file of a choice, None where there is none.

    It creates nothing, so that a cache that can only be read is of use, and reads nothing where nothing was tuned.
    """
    folder = known_dir(_FOLDER)
    if folder is None:
        return None
    file = folder / f"{digest(_key(path, contract, threads))}.json"
    return file if os.access(file, os.F_OK) else None


def _threads_of(path: Path, contract: Contract) -> set[int]:
    """Return the numbers of threads for which there are entries of a model file."""
    folder = known_dir(_FOLDER)
    keys = [_key_in(file) for file in folder.glob("*.json")] if folder else []
    own = _key(path, contract, 0)
    alike = [key for key in keys if {**key, "threads": 0} == own]
    return {key["threads"] for key in alike if isinstance(key.get("threads"), int)}


def _key_in(file: Path) -> dict[str, Any]:
    """Return the key that an entry says it has, or {} where it cannot be read: for all that is known, another's."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8"))["key"])
    except Exception:  # as in recall_tuning
        return {}


def _key(path: Path, contract: Contract, threads: int) -> dict[str, Any]:
    """Return all that a choice depends on."""
    return {
        "model": identify_file(path, contract),
        "cpu": describe_cpu(),
        "versions": runtime_versions(),
        "threads": threads,
    }


def _read(file: Path, key: Mapping[str, Any]) -> Tuning:
    """Read what remember_choice wrote; raises whatever does not fit."""
    found = parse_object(file.read_bytes(), name="the entry", remedy=_REMEDY)
    if found.get("format") != FORMAT or found.get("key") != key:
        raise ContractError(f"the entry is of another format, machine or model than its name says; {_REMEDY}")
    tuning = read_record(Tuning, found.get("tuning"), name="tuning", remedy=_REMEDY)
    for choice in (tuning.choice, *(trial.choice for trial in tuning.trials)):
        if choice.threads > key["threads"]:
            raise ContractError(f"{choice.threads} threads found, expected 1 to {key['threads']}; {_REMEDY}")
    return tuning
