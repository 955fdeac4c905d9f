"""Every way to run a model file on this CPU, measured; the fastest within a drift budget is remembered for load()."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path

from ...engine.errors import BackendUnavailable, BudgetError, InputError
from ...engine.modelfile.contract import read_contract
from ...engine.runners.choice import Choice
from ...engine.runners.open_runner import available_choices
from ...engine.runners.tuning import Trial, Tuning, remember_choice
from ...engine.system.cores import usable_cores
from ..latency.turns import Plan
from ..machine.describe import describe_machine, find_disturbances, read_state
from ..numbers.result import Interval
from ..numbers.statistics import ALARM
from ..numbers.wording import SMALLEST_SHARE, digits, reference_notes, share, times
from .candidates import Candidate, Candidates, Step
from .images import find_readable

BUDGET = 0.005  # of the range
ROUNDS = 10
# Of one choice: enough for a median, and one that never becomes steady does not hold up the others for minutes.
PLAN = Plan(calls=2, scopes=("host",), warmup_calls=30, warmup_s=20.0)
# Fewer threads whose second inference in a fresh process takes so many times as long as with all are not measured on.
FIRST_LOOK = 1.5


@dataclass(frozen=True, slots=True)
class Tuned:
    """What tuning came to.

    Args:
        candidates: In the order measured.
        chosen, default, reference: The fastest within the budget, what runs untuned, and what drift is against.
        tuning: As it is remembered.
        written: The file that remembers it; None where this machine has no cache.
        notes: What a reader must know, one sentence each: a loaded machine, what was left out.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    default: Choice
    reference: Choice
    tuning: Tuning
    written: Path | None
    notes: tuple[str, ...]


def tune(
    path: str | Path,
    *,
    images: Sequence[Path],
    budget: float = BUDGET,
    threads: int | None = None,
    rounds: int = ROUNDS,
    choices: Sequence[Choice] | None = None,
    on_step: Step = lambda title, done, wanted: None,
) -> Tuned:
    """Measure every choice for a model file, pick the fastest within the budget and remember it; blocks.

    All choices take turns in one run. The winner is then tried with half of its threads, and so on as long as
    that is faster.

    Args:
        path: The model file.
        images: Files. All are for drift, a few of them for times; unreadable ones are left out with a note.
        budget: Largest mean drift, as a part of the reference's 2-98 % range.
        threads: That `load` will be given; None takes the cores that this process may use.
        rounds: Turns of each choice.
        choices: None takes all that are there for this file and machine.
        on_step: Called as the run goes on.

    Raises:
        InputError: No image that can be read, or a budget that is no share.
        BackendUnavailable: The reference does not work here.
        BudgetError: No choice works and stays within the budget.
    """
    if not images or not 0 <= budget < 1:
        raise InputError(f"{len(images)} images and a budget of {budget:g} found, expected an image, and 0 to 1")
    path, threads = Path(path), threads or usable_cores()
    contract = read_contract(path)
    available = available_choices(contract, threads)
    default, reference = available[0], find_reference(available)
    wanted = tuple(dict.fromkeys((default, reference, *(available if choices is None else choices))))
    images, left_out = find_readable(list(dict.fromkeys(images)), on_step=on_step)
    plan, machine, before = replace(PLAN, rounds=rounds), describe_machine(), read_state()
    with Candidates(path, images, reference=reference, on_step=on_step) as field:
        field.start(wanted)
        found = field.measure(wanted, plan, base=default)
        chosen, fewer, notes = _with_fewer_threads(field, fastest(found, budget), plan, budget)
    found += fewer
    assert chosen.speed is not None and chosen.drift is not None  # of all that are within a budget
    tuning = Tuning(
        choice=chosen.choice,
        speed=chosen.speed.value,
        drift=chosen.drift.mean,
        budget=budget,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        trials=tuple(map(_trial, found)),
    )
    written = remember_choice(path, contract, threads, tuning)
    notes = [*left_out, *find_disturbances(machine, before, read_state()), *notes]
    notes += reference_notes(reference.precision)
    if found[0].failure:
        notes.append(f"The default, {default}, fails here, so speeds are against {reference}.")
    if chosen.choice != default and chosen.speed.low <= 1:
        interval = f"{digits(chosen.speed.low)}–{digits(chosen.speed.high)}×"
        notes.append(f"{chosen.choice} is not clearly faster than the default (95 % {interval}); tune a quiet machine.")
    return Tuned(tuple(found), chosen, default, reference, tuning, written, tuple(notes))


def find_reference(available: Sequence[Choice]) -> Choice:
    """Return the choice that drift is measured against: ONNX Runtime in float32, or in the file's own precision.

    Raises:
        BackendUnavailable: ONNX Runtime is not among them.
    """
    found = [one for one in available if one.runner == "onnxruntime"]
    if not found:
        raise BackendUnavailable("tuning needs ONNX Runtime as its reference: pip install 'depthrt[cpu]'")
    return min(found, key=lambda one: one.precision != "fp32")


def fastest(candidates: Sequence[Candidate], budget: float) -> Candidate:
    """Return the fastest candidate within the budget; of those that times hardly tell apart, the one that drifts least.

    Raises:
        BudgetError: There is none; the message says of each why.
    """
    fit = {one: one.speed.value for one in candidates if one.within(budget) and one.speed is not None}
    if not fit:
        reasons = "; ".join(f"{one.choice}: {_reason(one)}" for one in candidates)
        raise BudgetError(f"nothing works and stays within a drift of {share(budget)} ({reasons})")
    close = [one for one, speed in fit.items() if speed * (1 + ALARM) >= max(fit.values())]
    return min(close, key=lambda one: (_drift(one), -fit[one]))


def _with_fewer_threads(
    field: Candidates, winner: Candidate, plan: Plan, budget: float
) -> tuple[Candidate, list[Candidate], list[str]]:
    """Halve the winner's threads as long as that is faster: cores can share what limits them.

    Returns:
        The winner, what was measured on the way, and what was left out.
    """
    measured: list[Candidate] = []
    while winner.choice.threads > 1:
        choice = replace(winner.choice, threads=winner.choice.threads // 2)
        (tried,) = field.start([choice])
        if winner.cold and tried.cold and tried.cold.second_ms > FIRST_LOOK * winner.cold.second_ms:
            slower = times(tried.cold.second_ms / winner.cold.second_ms)
            return winner, measured, [f"{choice} was left out: at first sight it takes {slower} the time."]
        before, now = field.measure([winner.choice, choice], plan, base=winner.choice)
        if before.failure:
            break
        now = _against_default(now, winner)
        measured.append(now)
        if now is not fastest([winner, now], budget):
            break
        winner = now
    return winner, measured, []


def _against_default(candidate: Candidate, winner: Candidate) -> Candidate:
    """Turn a speed against the winner into one against the default."""
    if candidate.speed is None or winner.speed is None:
        return candidate
    one, base = candidate.speed, winner.speed
    return replace(candidate, speed=Interval(one.value * base.value, one.low * base.low, one.high * base.high))


def _drift(candidate: Candidate) -> float:
    drift = candidate.drift.mean if candidate.drift else 0.0
    return drift if drift > SMALLEST_SHARE else 0.0


def _reason(candidate: Candidate) -> str:
    return candidate.failure or f"drift {share(candidate.drift.mean) if candidate.drift else 'unknown'}"


def _trial(candidate: Candidate) -> Trial:
    latency, drift = candidate.latency, candidate.drift
    return Trial(
        candidate.choice,
        median_ms=latency.p50_ms.value if latency else None,
        p90_ms=latency.p90_ms.value if latency else None,
        drift=drift.mean if drift and isfinite(drift.mean) else None,
        failure=candidate.failure,
    )
