"""Tunings: what `depthrt tune` measured on this machine, remembered in the cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from ..errors import ContractError
from ..modelfile.model_file import ModelFile
from ..system.cache.store import REMEDY, Store
from ..system.field_types import Length, Name, NotNegative, Positive, Sentence, Share, printable
from ..system.records import Mismatch, read_record, to_json_object
from .choice import Choice

STORE = Store("choices", content="tuning")
_ROUNDING = 1e-5  # of the range; sums in another order differ by as much


@dataclass(frozen=True, slots=True)
class Trial:
    """Measurement of a choice on this machine.

    Args:
        choice: What was tried.
        median_ms, p90_ms: From image array to depth array; None if it failed.
        drift: Mean absolute difference from float32 over the reference's 2-98 % range; None if it failed.
        failure: Why figures are missing or the choice cannot be used; "" if it works.
    """

    choice: Choice
    median_ms: Positive | None
    p90_ms: Positive | None
    drift: NotNegative | None
    failure: Sentence = ""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The choice that `depthrt tune` made for a model file on this machine.

    Args:
        choice: The choice that load() takes.
        speed: How many times as fast as the default it is.
        drift: Of the choice, as in Trial.
        budget: Largest drift that was accepted.
        made: Time of the measurement, ISO 8601, UTC.
        trials: Every choice that was measured.
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
        """Return a sentence for results: what the choice gained and what it cost."""
        drift = f"a drift of {100 * self.drift:.2g} %" if self.drift > _ROUNDING else "no drift"
        if self.speed == 1:
            return f"tuned: {self.choice}, the default, as nothing within the budget is clearly faster; {drift}"
        return f"tuned: {self.choice}, {self.speed:.2g} times as fast as the default at {drift}"


def remember_choice(file: ModelFile, threads: int, tuning: Tuning) -> Path | None:
    """Remember the tuning of a model file; it replaces the one that was remembered.

    Args:
        file: The model file.
        threads: That a load asks for, or the cores that the process may use; the choice can have fewer.
        tuning: To remember.

    Returns:
        The file written, or None if this machine has no cache, which a warning says.

    Raises:
        InputError: The disk refuses.
    """
    trials = tuple(replace(trial, failure=printable(trial.failure)) for trial in tuning.trials)
    content = to_json_object(replace(tuning, trials=trials))
    return STORE.remember(_key(file, threads), content, path=file.path)


def recall_tuning(file: ModelFile, threads: int) -> Tuning | None:
    """Return the tuning of a model file with these threads on this machine; never raises.

    An entry that cannot be read counts as absent, and a warning says so.
    """

    def read(content: object) -> Tuning:
        tuning = read_record(Tuning, content, name="tuning", remedy=REMEDY)
        for choice in (tuning.choice, *(trial.choice for trial in tuning.trials)):
            if choice.threads > threads:
                raise ContractError(f"{choice.threads} threads found, expected 1 to {threads}")
        return tuning

    return STORE.recall(_key(file, threads), read, remedy=f"`depthrt tune {file.path}` makes a new one")


def recall_tunings(file: ModelFile, threads: int) -> dict[int, Tuning]:
    """Return the tunings of a model file on this machine, by the threads that a load asks for.

    Args:
        file: The model file.
        threads: Looked for even if no key of an entry can be read, so that a damaged one is reported.
    """
    own = _key(file, 0)
    keys = [key for key in STORE.read_keys() if {**key, "threads": 0} == own]
    asked = {threads, *(key["threads"] for key in keys if type(key.get("threads")) is int)}
    found = {number: recall_tuning(file, number) for number in sorted(asked)}
    return {number: tuning for number, tuning in found.items() if tuning is not None}


def forget_choice(file: ModelFile, threads: int) -> Path | None:
    """Remove the tuning of a model file; return the file that was removed, or None if none was remembered."""
    return STORE.forget(_key(file, threads))


def _key(file: ModelFile, threads: int) -> dict[str, Any]:
    """Return all that a choice depends on."""
    return {"model": file.identity, **file.machine.key(), "threads": threads}
