"""A condition becomes a check of each subject that noise does not turn: passed, unclear or failed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ...engine.errors import InputError
from ..numbers.figures import Figure
from ..numbers.result import Interval, SubjectResult
from ..numbers.wording import amount, between
from .change import Change, change_of, percent_change
from .conditions import Condition
from .reference import Reference, is_judged_beyond
from .same_images import Others

State = Literal["passed", "unclear", "failed"]  # from good to bad
_STATES: tuple[State, ...] = get_args(State)

_NO_REFERENCE = "a machine that was slower counts, as the reports share no reference; measure with --reference"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, checked for one subject.

    Args:
        condition: As it was written.
        subject: Name.
        state: "failed" if the whole 95 % interval is past the limit, "unclear" if only the value is, else "passed".
            A time fails only if it grew more than the reference's time in the same run. If both grew, the machine is
            blamed and the check is unclear, unless the reference's network shows that code which all subjects share
            grew slower. A change of unknown noise never fails, and a change to other images is unclear.
        reason: The figures, one line.
    """

    condition: str
    subject: str
    state: State
    reason: str

    def line(self) -> str:
        """Return it as one line of text."""
        return f"{self.state}: {self.condition} for {self.subject}: {self.reason}"


def changes_of(figure: Figure, before: SubjectResult, after: SubjectResult, others: Others) -> Iterator[Change]:
    """Yield how a figure of a subject changed, once for each data set.

    Args:
        figure: The figure.
        before, after: Results of the subject.
        others: Figures that are of other images in each report.
    """
    old, new = figure.read(before), figure.read(after)
    for of in old:
        if of in new:
            doubt = _doubt(figure, of, before, after, others)
            yield change_of(figure, after.name, of, old[of], new[of], doubt=doubt)


def check_condition(
    condition: Condition[Figure],
    old: Mapping[str, SubjectResult],
    new: Mapping[str, SubjectResult],
    reference: Reference | None,
    others: Others,
) -> list[Check]:
    """Check a condition for all subjects.

    Args:
        condition: What must not happen.
        old, new: Results of the two reports, by subject name.
        reference: The reference that both reports share; None without.
        others: Figures that are of other images in each report.

    Raises:
        InputError: Neither report has the figure.
    """
    checks: list[Check] = []
    for name in dict.fromkeys([*old, *new]):
        before = condition.figure.read(old[name]) if name in old else {}
        after = condition.figure.read(new[name]) if name in new else {}
        checks += [
            Check(condition.text, name, "failed", _lost(condition.figure, of, new.get(name)))
            for of in before
            if of not in after
        ]
        for of, value in after.items():
            if of in before or not condition.change:
                doubt = _doubt(condition.figure, of, old[name], new[name], others) if of in before else ""
                change = change_of(condition.figure, name, of, before.get(of, value), value, doubt=doubt)
                checks.append(_check_subject(condition, change, reference, old.get(name), new[name]))
    if not checks:
        raise InputError(
            f"condition {condition.text!r}: neither report has {condition.figure.name} for a subject in both; "
            "measure it, or leave the condition out"
        )
    return checks


def _check_subject(
    condition: Condition[Figure],
    change: Change,
    reference: Reference | None,
    before: SubjectResult | None,
    after: SubjectResult,
) -> Check:
    check = _check_clock(condition, change)
    if condition.change and reference is not None and before is not None:
        return _check_beyond(condition, check, reference, before, after, was=change.before.value)
    if condition.change and check.state == "failed" and is_judged_beyond(condition.figure):
        return replace(check, reason=f"{check.reason}; {_NO_REFERENCE}")
    return check


def _doubt(figure: Figure, of: str, before: SubjectResult, after: SubjectResult, others: Others) -> str:
    """Return why the intervals of a figure do not show how it changed, "" if they do."""
    if figure.of_images and (after.name, of) in others:
        return "not of the same images"
    known = figure.noise_known(before) and figure.noise_known(after)
    return "" if known else "its single values are not in both reports, so its noise is unknown"


def _lost(figure: Figure, of: str, now: SubjectResult | None) -> str:
    why = "the subject is missing" if now is None else now.failure or "it was not measured"
    return f"{figure.title}{f' on {of}' if of else ''} is in the first report and not in the second: {why}"


def _check_clock(condition: Condition[Figure], change: Change) -> Check:
    """Check a figure by itself: a time by the clock."""
    value = change.relative if condition.relative else change.absolute if condition.change else change.after
    unit = change.figure.unit
    reason = change.line() if condition.change else f"{change.figure.title} {amount(value.value, unit)}"
    if condition.change and not condition.relative and unit != "share":
        reason += f", a change of {amount(value.value, unit)} (95 % {between(value, unit)})"
    if not condition.change and value.low < value.high:
        reason += f" (95 % {between(value, unit)})"
    state = _state(condition, value)
    if condition.change and change.doubt and math.isfinite(change.after.value):
        reason += f"; {change.doubt}"
        state = "unclear" if change.figure.of_images else _better(state, "unclear")
    return Check(condition.text, change.subject, state, reason)


def _check_beyond(
    condition: Condition[Figure],
    check: Check,
    reference: Reference,
    before: SubjectResult,
    after: SubjectResult,
    *,
    was: float,
) -> Check:
    """Check a time by its growth beyond the reference's: what the machine did to both is not a failure.

    Args:
        condition, check: The condition, checked by the clock.
        reference: That both reports share.
        before, after: Results of the subject.
        was: The time before, ms.
    """
    figure = condition.figure
    moved, beyond = reference.moved(figure), reference.take_off(figure, before, after)
    if moved is None or beyond is None:
        return check
    in_ms = not condition.relative
    if in_ms:
        condition = replace(condition, limit=condition.limit / was, relative=True)
    itself, network = after.name == reference.name, reference.network_moved(figure)
    state = _better(check.state, "unclear") if itself else _state(condition, beyond)
    if state == "passed" and check.state != "passed":
        state = "unclear"
    more = f"{percent_change(beyond)}, {amount(beyond.value * was, figure.unit)}," if in_ms else percent_change(beyond)
    reason = f"{more} beyond the reference, whose own time changed by {percent_change(moved)}"
    if itself:
        reason = "it is the reference" if network is None else "it is the reference, whose time shows the machine"
    grew = check.state != "passed" and reference.shared_code_grew(figure)
    if grew and (own := reference.take_off_network(figure, before, after)):
        state = _worse(state, _better(check.state, _state(condition, own)))
        reason = f"{percent_change(own)} beyond the reference's network, which shows the machine; "
        reason += (
            f"all of the reference changed by {percent_change(moved)}, so code that all subjects share grew slower"
        )
    elif network is None and state == "unclear":
        reason += "; without the scope kernel, the machine and code that all subjects share look alike"
    return replace(check, state=state, reason=f"{check.reason}; {reason}")


def _better(state: State, other: State) -> State:
    return min(state, other, key=_STATES.index)


def _worse(state: State, other: State) -> State:
    return max(state, other, key=_STATES.index)


def _state(condition: Condition[Figure], value: Interval) -> State:
    if math.isnan(value.value + value.low + value.high):
        return "failed"  # NaN is within no limit; infinite drift gives NaN
    sign = 1 if condition.above else -1
    surely = value.low if condition.above else value.high
    if sign * surely > sign * condition.limit:
        return "failed"
    return "unclear" if sign * value.value > sign * condition.limit else "passed"
