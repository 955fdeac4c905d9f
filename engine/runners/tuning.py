"""What `depthrt tune` found on this machine, remembered in the cache."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from ..errors import InputError
from ..modelfile.contract import Contract
from ..modelfile.file_identity import identify_file
from ..system.cache import cache_dir, digest, known_dir
from ..system.files import atomic_path
from ..system.machine import describe_cpu, runtime_versions
from ..terms import CpuRunner, Precision
from .choice import Choice

FORMAT = 1  # version of the JSON below; a reader refuses others
_FOLDER = "choices"
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
    median_ms: float | None
    p90_ms: float | None
    drift: float | None
    failure: str = ""


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
    speed: float
    drift: float
    budget: float
    made: str
    trials: tuple[Trial, ...]

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
    found = _object(json.loads(file.read_text(encoding="utf-8")), {"format", "path", "key", "tuning"})
    if found["format"] != FORMAT or found["key"] != key:
        raise ValueError("it is of another format, machine or model than its name says")
    tuning = _object(found["tuning"], _names(Tuning))
    return Tuning(
        choice=_choice(tuning["choice"], key["threads"]),
        speed=float(tuning["speed"]),
        drift=float(tuning["drift"]),
        budget=float(tuning["budget"]),
        made=str(tuning["made"]),
        trials=tuple(_trial(_object(one, _names(Trial)), key["threads"]) for one in tuning["trials"]),
    )


def _trial(found: dict[str, Any], threads: int) -> Trial:
    figures = {name: None if found[name] is None else float(found[name]) for name in ("median_ms", "p90_ms", "drift")}
    return Trial(_choice(found["choice"], threads), failure=str(found["failure"]), **figures)


def _choice(found: object, threads: int) -> Choice:
    choice = Choice(**_object(found, _names(Choice)))
    if choice.runner not in get_args(CpuRunner) or choice.precision not in get_args(Precision):
        raise ValueError(f"{choice} is no way to run a file")
    if not isinstance(choice.threads, int) or not 1 <= choice.threads <= threads:
        raise ValueError(f"{choice.threads!r} threads found, expected 1 to {threads}")
    return choice


def _object(found: object, expected: set[str]) -> dict[str, Any]:
    if not isinstance(found, dict) or found.keys() != expected:
        keys = sorted(found) if isinstance(found, dict) else found
        raise ValueError(f"{keys!r} found, expected the keys {sorted(expected)}")
    return found


def _names(cls: type[Choice] | type[Trial] | type[Tuning]) -> set[str]:
    return {field.name for field in fields(cls)}
