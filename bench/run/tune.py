"""Measures every way to run a model file on this CPU and remembers the fastest within a drift budget for load()."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path

from ...engine.errors import BackendUnavailable, BudgetError
from ...engine.images.readable import find_readable
from ...engine.modelfile.model_file import open_model_file
from ...engine.modelfile.shipped import model_path
from ...engine.run.sources import find_images
from ...engine.runners.choice import Choice
from ...engine.runners.open_runner import available_choices
from ...engine.runners.tuning import Trial, Tuning, forget_choice, remember_choice
from ...engine.system.cores import usable_cores
from ...engine.terms import OnStep
from ..latency.turns import Rounds
from ..machine.describe import describe_machine, find_disturbances, read_state
from ..numbers.result import Interval
from ..numbers.statistics import ALARM, compare_medians
from ..numbers.wording import SMALLEST_SHARE, digits, reference_notes, share, times
from .candidates import Candidate, Candidates
from .request import TuneRequest

# Enough for a median; a choice that never becomes steady does not delay the others for minutes.
ROUNDS = Rounds(calls=2, scopes=("host",), warmup_calls=30, warmup_s=20.0)
# Fewer threads are not measured if their second inference in a fresh process takes this many times as long.
FIRST_LOOK = 1.5


@dataclass(frozen=True, slots=True)
class Tuned:
    """Result of tuning.

    Args:
        candidates: In the order measured.
        chosen: The fastest candidate within the budget.
        default: The choice that runs untuned.
        reference: The choice that drift is measured against.
        tuning: The record that is remembered.
        written: The file that remembers it; None if this machine has no cache.
        notes: What a reader must know, one sentence each: a loaded machine, what was left out.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    default: Choice
    reference: Choice
    tuning: Tuning
    written: Path | None
    notes: tuple[str, ...]


def tune(request: TuneRequest, *, on_step: OnStep = lambda title, done, wanted: None) -> Tuned:
    """Measure every choice for a model file, pick the fastest within the budget and remember it; blocks.

    All choices take turns in one run. The winner is then tried with half of its threads, and so on as long as that is
    faster.

        tuned = tune(TuneRequest("model.onnx", images=["photos/"], drift_budget=0.005))
        print(tuned.chosen.choice, tuned.written)

    Args:
        request: What is measured. All images are for drift, a few for times; unreadable ones are left out with a note.
        on_step: Called at each step.

    Raises:
        InputError: No image can be read.
        BackendUnavailable: The reference does not work here.
        BudgetError: No choice works and stays within the budget.
    """
    path, threads, budget = model_path(request.model), request.threads or usable_cores(), request.drift_budget
    file = open_model_file(path)
    available = available_choices(file.contract, threads)
    default, reference = available[0], find_reference(available)
    choices = available if request.choices is None else request.choices
    wanted = tuple(dict.fromkeys((default, reference, *choices)))
    images, left_out = find_readable(list(dict.fromkeys(find_images(request.images))), on_step=on_step)
    rounds, machine, before = replace(ROUNDS, count=request.rounds), describe_machine(), read_state()
    with Candidates(path, images, reference=reference, on_step=on_step) as field:
        field.start(wanted)
        found = field.measure(wanted, rounds, base=default)
        winner = fastest(found, budget, default=default)
        chosen, fewer, notes = _with_fewer_threads(field, winner, rounds, budget)
    found += fewer
    tuning = _tuning(chosen, found, budget)
    written = remember_choice(file, threads, tuning)
    notes = [*left_out, *find_disturbances(machine, before, read_state()), *notes]
    if file.contract.precision in ("fp16", "fp16-safe"):
        notes.append(f"No CPU computes in fp16: ONNX Runtime computes this {file.contract.precision} file in fp32.")
    notes += [*reference_notes(reference.precision), *_doubts(chosen, found, default, reference, budget)]
    return Tuned(tuple(found), chosen, default, reference, tuning, written, tuple(notes))


def forget(model: str | Path, *, threads: int | None = None) -> Path | None:
    """Remove what is remembered for a model file; return the removed file, None if nothing was remembered.

    Args:
        model: The model file.
        threads: As given to load; None takes the cores that this process may use.
    """
    return forget_choice(open_model_file(model_path(model)), threads or usable_cores())


def find_reference(available: Sequence[Choice]) -> Choice:
    """Return the choice that drift is measured against: ONNX Runtime in float32, or in the file's own precision.

    Raises:
        BackendUnavailable: ONNX Runtime is not among them.
    """
    found = [choice for choice in available if choice.runner == "onnxruntime"]
    if not found:
        raise BackendUnavailable("tuning needs ONNX Runtime as its reference: pip install 'depthrt[cpu]'")
    return min(found, key=lambda choice: choice.precision != "fp32")


def fastest(candidates: Sequence[Candidate], budget: float, *, default: Choice | None = None) -> Candidate:
    """Return the fastest candidate within the budget; the default, unless another is clearly faster.

    Noise gives every measurement another winner, so only a speed whose whole 95 % interval is above the default's
    counts. Among candidates that the times do not tell apart from the fastest, the least drift wins.

    Args:
        candidates: With speeds against the default.
        budget: Largest drift.
        default: The choice that runs untuned; None if any may win.

    Raises:
        BudgetError: No candidate is within the budget; the message gives the reason for each.
    """
    speeds = {fit: fit.speed for fit in candidates if fit.within(budget) and fit.speed is not None}
    if not speeds:
        reasons = "; ".join(f"{candidate.choice}: {_reason(candidate)}" for candidate in candidates)
        raise BudgetError(f"nothing works and stays within a drift of {share(budget)} ({reasons})")
    stays = next((candidate for candidate in speeds if candidate.choice == default), None)
    if stays is not None:
        speeds = {candidate: speed for candidate, speed in speeds.items() if speed.low > 1}
        if not speeds:
            return stays
    best = max(speeds, key=lambda candidate: speeds[candidate].value)
    close = [candidate for candidate in speeds if _is_close(candidate, best)]
    return min(close, key=lambda candidate: (_drift(candidate), -speeds[candidate].value))


def _is_close(candidate: Candidate, best: Candidate) -> bool:
    """Whether a candidate is nearly as fast as the best, or the times of their turns do not tell them apart."""
    assert candidate.speed is not None and best.speed is not None
    if candidate.speed.value * (1 + ALARM) >= best.speed.value:
        return True
    if candidate.latency is None or best.latency is None:
        return False
    samples = best.latency.samples_ms, candidate.latency.samples_ms
    return compare_medians(*samples, per_round=ROUNDS.calls, paired=True).low <= 1


def _with_fewer_threads(
    field: Candidates, winner: Candidate, rounds: Rounds, budget: float
) -> tuple[Candidate, list[Candidate], list[str]]:
    """Halve the winner's threads as long as that is clearly faster: cores can share what limits them.

    Returns:
        The winner, the candidates that were measured on the way, and a sentence for each that was left out.
    """
    measured: list[Candidate] = []
    while winner.choice.threads > 1:
        choice = replace(winner.choice, threads=winner.choice.threads // 2)
        (tried,) = field.start([choice])
        if winner.cold and tried.cold and tried.cold.second_ms > FIRST_LOOK * winner.cold.second_ms:
            slower = times(tried.cold.second_ms / winner.cold.second_ms)
            return winner, measured, [f"{choice} was left out: at first sight it takes {slower} the time."]
        before, now = field.measure([winner.choice, choice], rounds, base=winner.choice)
        if before.failure:
            break
        faster = now.within(budget) and now.speed is not None and now.speed.low > 1  # than the winner
        now = _against_default(now, winner)
        measured.append(now)
        if not faster:
            break
        winner = now
    return winner, measured, []


def _against_default(candidate: Candidate, winner: Candidate) -> Candidate:
    """Turn a speed against the winner into a speed against the default."""
    if candidate.speed is None or winner.speed is None:
        return candidate
    own, base = candidate.speed, winner.speed
    return replace(candidate, speed=Interval(own.value * base.value, own.low * base.low, own.high * base.high))


def _tuning(chosen: Candidate, found: Sequence[Candidate], budget: float) -> Tuning:
    assert chosen.speed is not None and chosen.drift is not None  # true of all that are within a budget
    return Tuning(
        choice=chosen.choice,
        speed=chosen.speed.value,
        drift=chosen.drift.mean,
        budget=budget,
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        trials=tuple(map(_trial, found)),
    )


def _doubts(
    chosen: Candidate, found: Sequence[Candidate], default: Choice, reference: Choice, budget: float
) -> list[str]:
    """Return what a reader must know of the speeds."""
    notes = []
    if found[0].failure:
        notes.append(f"The default, {default}, fails here, so speeds are against {reference}.")
    if chosen.choice == default:
        faster = [one for one in found if one.within(budget) and one.speed and one.speed.low <= 1 < one.speed.value]
        for candidate in sorted(faster, key=lambda one: -one.speed.value if one.speed else 0)[:1]:
            assert candidate.speed is not None
            interval = f"{digits(candidate.speed.low)}–{digits(candidate.speed.high)}×"
            notes.append(
                f"{candidate.choice} is not clearly faster than the default (95 % {interval}), so the default stays; "
                "tune a quiet machine, or with more --rounds."
            )
    return notes


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
