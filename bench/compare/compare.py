"""Two reports and what must not happen become a verdict that noise alone does not turn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ...engine.errors import InputError
from ..numbers.figures import FIGURES, Figure
from ..numbers.result import Interval, Machine, Report, SubjectResult
from ..numbers.wording import amount, between
from .change import Change, change_of, percent_change
from .conditions import Condition, parse_condition
from .reference import Reference, find_reference, is_judged_beyond
from .same_images import Others, find_other_images

State = Literal["passed", "unclear", "failed"]  # from good to bad
_STATES: tuple[State, ...] = get_args(State)

# Shown for every pair of reports, with conditions or without.
SHOWN = (
    "host.p50",
    "host.p90",
    "kernel.p50",
    "file.p50",
    "rate.p50",
    "throughput",
    "drift",
    "abs_rel",
    "delta1",
    "rss",
)
_DECIDES = ("cpu", "cores", "gpu")  # other values of these make another machine
_MATTERS = ("memory_mib", "system", "driver", "power")
_NO_REFERENCE = "a machine that was slower counts, as the reports share no reference; measure with --reference"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one condition for one subject.

    Args:
        condition: As it was written.
        subject: Name.
        state: "failed" where the whole 95 % interval is past the limit, "unclear" where the value is but the
            interval is not, else "passed". How a time changed is judged by what it changed beyond the reference's,
            where both reports have one; where only the clock is past the limit, it is unclear, unless the reference's
            own network shows that it was not the machine but code that all subjects share. A change whose noise
            nothing tells never fails, and one to other images is unclear.
        reason: The figures, one line.
    """

    condition: str
    subject: str
    state: State
    reason: str

    def line(self) -> str:
        """Return it as one line of text."""
        return f"{self.state}: {self.condition} for {self.subject}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comparing gave.

    Args:
        outcomes: One a condition, subject and data set.
        changes: The figures of SHOWN, by subject.
        notes: What differs besides: subjects, versions, settings.
    """

    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that make the comparison fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.state == "failed")

    @property
    def exit_code(self) -> int:
        """Return 1 where a condition failed, else 0."""
        return int(bool(self.failed))

    def lines(self) -> Iterator[str]:
        """Give the verdict as text: changes by subject, notes, outcomes that did not pass, the conclusion."""
        for name in dict.fromkeys(one.subject for one in self.changes):
            yield name
            for one in self.changes:
                if one.subject == name:
                    why = one.doubt or "no clear change"
                    yield f"  {one.line()}{'' if one.clear else f' ({why})'}"
        yield from (f"note: {note}" for note in self.notes)
        yield from (outcome.line() for outcome in self.outcomes if outcome.state != "passed")
        if self.outcomes:
            yield f"{len(self.failed)} of {len(self.outcomes)} checks failed"


def compare(
    before: Report, after: Report, conditions: Sequence[str | Condition] = (), *, across_machines: bool = False
) -> Verdict:
    """Compare two reports subject by subject, matched by name.

    A figure that was measured before and is not there now fails its condition: a check that finds nothing to
    check would pass forever.

    Args:
        before, after: The baseline, and what is judged.
        conditions: What must not happen; conditions.py says how they are written.
        across_machines: Compare although the machines differ; times then say nothing about the code.

    Raises:
        InputError: The machines differ, a condition is not understood, or neither report has its figure.
    """
    notes = [*_machine_notes(before.machine, after.machine, across=across_machines), *_made_notes(before, after)]
    old, new = _by_name(before), _by_name(after)
    if not old.keys() & new.keys():
        raise InputError(
            f"subjects {', '.join(old)} and {', '.join(new)} found, expected at least one name in both reports; "
            "give subjects the same names"
        )
    notes += [f"{name} is in the first report alone" for name in old if name not in new]
    notes += [f"{name} is in the second report alone" for name in new if name not in old]
    read = [parse_condition(one) if isinstance(one, str) else one for one in conditions]
    reference, others = find_reference(before, after), find_other_images(before, after)
    notes += [f"not the same images: {line}" for line in dict.fromkeys(others.values())]
    outcomes = [outcome for condition in read for outcome in _judge(condition, old, new, reference, others)]
    both = [(old[name], new[name]) for name in old if name in new]
    changes = [one for pair in both for figure in SHOWN for one in _changes(FIGURES[figure], *pair, others)]
    return Verdict(tuple(outcomes), tuple(changes), tuple(notes))


def _by_name(report: Report) -> Mapping[str, SubjectResult]:
    return {subject.name: subject for subject in report.subjects}


def _changes(figure: Figure, before: SubjectResult, after: SubjectResult, others: Others) -> Iterator[Change]:
    old, new = figure.read(before), figure.read(after)
    for of in old:
        if of in new:
            doubt = _doubt(figure, of, before, after, others)
            yield change_of(figure, after.name, of, old[of], new[of], doubt=doubt)


def _doubt(figure: Figure, of: str, before: SubjectResult, after: SubjectResult, others: Others) -> str:
    """Return why the intervals of a figure do not tell how it changed, "" where they do."""
    if figure.of_images and (after.name, of) in others:
        return "not of the same images"
    known = figure.noise_known(before) and figure.noise_known(after)
    return "" if known else "its single values are not in both reports, so nothing tells how much is noise"


def _judge(
    condition: Condition,
    old: Mapping[str, SubjectResult],
    new: Mapping[str, SubjectResult],
    reference: Reference | None,
    others: Others,
) -> list[Outcome]:
    """Return a condition's outcomes for all subjects."""
    outcomes = []
    for name in dict.fromkeys([*old, *new]):
        before = condition.figure.read(old[name]) if name in old else {}
        after = condition.figure.read(new[name]) if name in new else {}
        outcomes += [
            Outcome(condition.text, name, "failed", _lost(condition.figure, of, new.get(name)))
            for of in before
            if of not in after
        ]
        for of, value in after.items():
            if of in before or not condition.change:
                doubt = _doubt(condition.figure, of, old[name], new[name], others) if of in before else ""
                found = change_of(condition.figure, name, of, before.get(of, value), value, doubt=doubt)
                outcome = _outcome(condition, found)
                if condition.change and reference is not None and name in old:
                    outcome = _by_reference(condition, outcome, reference, old[name], new[name], was=found.before.value)
                elif condition.change and outcome.state == "failed" and is_judged_beyond(condition.figure):
                    outcome = replace(outcome, reason=f"{outcome.reason}; {_NO_REFERENCE}")
                outcomes.append(outcome)
    if not outcomes:
        raise InputError(
            f"condition {condition.text!r}: neither report has {condition.figure.name} for a subject in both; "
            "measure it, or leave the condition out"
        )
    return outcomes


def _lost(figure: Figure, of: str, now: SubjectResult | None) -> str:
    why = "the subject is not there" if now is None else now.failure or "it was not measured"
    return f"{figure.title}{f' on {of}' if of else ''} is in the first report and not in the second: {why}"


def _outcome(condition: Condition, found: Change) -> Outcome:
    value = found.relative if condition.relative else found.absolute if condition.change else found.after
    unit = found.figure.unit
    reason = found.line() if condition.change else f"{found.figure.title} {amount(value.value, unit)}"
    if condition.change and not condition.relative and unit != "share":
        reason += f", a change of {amount(value.value, unit)} (95 % {between(value, unit)})"
    if not condition.change and value.low < value.high:
        reason += f" (95 % {between(value, unit)})"
    state = _state(condition, value)
    if condition.change and found.doubt and math.isfinite(found.after.value):
        reason += f"; {found.doubt}"
        state = "unclear" if found.figure.of_images else _better(state, "unclear")
    return Outcome(condition.text, found.subject, state, reason)


def _by_reference(
    condition: Condition,
    outcome: Outcome,
    reference: Reference,
    before: SubjectResult,
    after: SubjectResult,
    *,
    was: float,
) -> Outcome:
    """Judge a time, which `was` so many ms, by what it grew beyond the reference's.

    What the machine did to both alike is no failure.
    """
    figure = condition.figure
    moved, beyond = reference.moved(figure), reference.take_off(figure, before, after)
    if moved is None or beyond is None:
        return outcome
    in_ms = not condition.relative
    if in_ms:
        condition = replace(condition, limit=condition.limit / was, relative=True)
    itself, network = after.name == reference.name, reference.network_moved(figure)
    state = _better(outcome.state, "unclear") if itself else _state(condition, beyond)
    if state == "passed" and outcome.state != "passed":
        state = "unclear"
    more = f"{percent_change(beyond)}, {amount(beyond.value * was, figure.unit)}," if in_ms else percent_change(beyond)
    reason = f"{more} beyond the reference, whose own time changed by {percent_change(moved)}"
    if itself:
        reason = "it is the reference" if network is None else "it is the reference, whose time tells of the machine"
    grew = outcome.state != "passed" and reference.shared_code_grew(figure)
    if grew and (alone := reference.take_off_network(figure, before, after)):
        state = _worse(state, _better(outcome.state, _state(condition, alone)))
        reason = f"{percent_change(alone)} beyond the reference's network, which tells of the machine; "
        reason += (
            f"all of the reference changed by {percent_change(moved)}, so code that all subjects share grew slower"
        )
    elif network is None and state == "unclear":
        reason += "; without the scope kernel nothing tells the machine from code that all subjects share"
    return replace(outcome, state=state, reason=f"{outcome.reason}; {reason}")


def _better(one: State, other: State) -> State:
    return min(one, other, key=_STATES.index)


def _worse(one: State, other: State) -> State:
    return max(one, other, key=_STATES.index)


def _state(condition: Condition, value: Interval) -> State:
    if math.isnan(value.value + value.low + value.high):
        return "failed"  # no number is within no limit; infinite drift gives none
    sign = 1 if condition.above else -1
    surely = value.low if condition.above else value.high
    if sign * surely > sign * condition.limit:
        return "failed"
    return "unclear" if sign * value.value > sign * condition.limit else "passed"


def _machine_notes(before: Machine, after: Machine, *, across: bool) -> list[str]:
    """Return what differs between the machines.

    Raises:
        InputError: They are not the same and need to be.
    """
    decides = _differences(before, after, _DECIDES)
    if decides and not across:
        raise InputError(
            f"the reports are of different machines ({'; '.join(decides)}), so their times cannot be compared; "
            "measure both on one, or give --across-machines"
        )
    return [f"machine: {one}" for one in [*decides, *_differences(before, after, _MATTERS)]]


def _made_notes(before: Report, after: Report) -> Iterator[str]:
    """Give what differs in how the figures were made and in what the subjects are."""
    pairs = [
        ("version of", before.made.versions, after.made.versions),
        ("setting", before.made.settings, after.made.settings),
    ]
    old, new = _by_name(before), _by_name(after)
    pairs += [(f"{name}:", old[name].facts, new[name].facts) for name in old if name in new]
    for what, one, other in pairs:
        for key in dict.fromkeys([*one, *other]):
            if one.get(key) != other.get(key):
                yield f"{what} {key}: {one.get(key, 'not set')} -> {other.get(key, 'not set')}"


def _differences(before: object, after: object, names: Sequence[str]) -> list[str]:
    return [
        f"{name} {getattr(before, name) or 'none'} -> {getattr(after, name) or 'none'}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
