"""What a report says in a few sentences: which subject to take, what it gains and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..numbers.figures import MAIN_SCOPE, first_accuracy, latency_in, missed_share, speed
from ..numbers.result import Interval, Latency, Report, SubjectResult
from ..numbers.statistics import ALARM
from ..numbers.wording import amount, digits, share, times

DRIFT_BUDGET = 0.01  # of the range. bf16 drifts by 0.1 %, int8 by 0.5 %; past 1 % depth edges begin to move
SCOPE_NAMES = {
    "kernel": "network alone",
    "host": "image array to depth array",
    "file": "file to file",
    "rate": "frames as they come",
}
_ORDER = (MAIN_SCOPE, "file", "kernel", "rate")  # which scope speaks for a run that measured some of them


@dataclass(frozen=True, slots=True)
class Summary:
    """What to read first.

    Args:
        headline: One sentence.
        sentences: The ones after it.
        scope: That headline, ratios and order are of; "" without latency.
        baseline: Name of the subject that ratios are against; "" without latency.
        winner: Name of the fastest subject within the budget; "" where none is.
        speeds: How many times as fast as the baseline each subject is.
        budget: Largest drift of a subject that may win.
    """

    headline: str
    sentences: tuple[str, ...]
    scope: str
    baseline: str
    winner: str
    speeds: Mapping[str, Interval]
    budget: float

    def role(self, subject: SubjectResult) -> str:
        """Return what a subject is in this report: "over", "baseline", "winner" or ""."""
        if not within(subject, self.budget):
            return "over"
        return "baseline" if subject.name == self.baseline else "winner" if subject.name == self.winner else ""


def summarise_report(report: Report, *, drift_budget: float = DRIFT_BUDGET) -> Summary:
    """Find the fastest subject within the budget, and say how it stands to the others.

    Args:
        report: Of any run, also one that measured drift or accuracy alone.
        drift_budget: Largest mean drift of a subject that may win; one that failed on the way never does.
    """
    sound = [subject for subject in report.subjects if not subject.failure]
    scope = next((one for one in _ORDER if any(latency_in(subject, one) for subject in sound)), "")
    timed = {subject.name: found for subject in sound if (found := latency_in(subject, scope))}
    if not timed:
        sentences = (*_drifts(report, drift_budget), *_accuracy(report, ""), *_failures(report))
        return Summary("No latency was measured.", sentences, "", "", "", {}, drift_budget)
    baseline = report.reference if report.reference in timed else next(iter(timed))
    measured = {one.name: one.speed for one in sound if scope == MAIN_SCOPE and baseline == report.reference}
    speeds = {name: measured.get(name) or speed(timed[baseline], found) for name, found in timed.items()}
    order = sorted((one for one in sound if one.name in timed), key=lambda one: timed[one.name].p50_ms.value)
    winner = next((one for one in order if within(one, drift_budget)), None)
    sentences = (
        *_close(order, winner, timed, drift_budget),
        *_faster_but_over(order, winner, timed, drift_budget),
        *_at_rate(report),
        *_accuracy(report, baseline),
        *_failures(report),
    )
    headline = _headline(winner, baseline, timed, speeds, scope, drift_budget)
    return Summary(headline, sentences, scope, baseline, winner.name if winner else "", speeds, drift_budget)


def within(subject: SubjectResult, budget: float) -> bool:
    """Whether a subject stays within the budget; one whose drift was not measured does."""
    drift = subject.drift
    return drift is None or (drift.mean <= budget and drift.nonfinite == 0)


def _headline(
    winner: SubjectResult | None,
    baseline: str,
    timed: Mapping[str, Latency],
    speeds: Mapping[str, Interval],
    scope: str,
    budget: float,
) -> str:
    if winner is None:
        return f"No subject stays within a drift of {budget * 100:g} %."
    facts = f"{amount(timed[winner.name].p50_ms.value, 'ms')} from {SCOPE_NAMES[scope]}"
    if scope in ("kernel", "rate"):
        facts = f"{amount(timed[winner.name].p50_ms.value, 'ms')}, {SCOPE_NAMES[scope]}"
    if len(timed) == 1:
        return f"{winner.name} takes {facts}{_drift_of(winner)}."
    if winner.name == baseline:
        return f"Nothing within a drift of {budget * 100:g} % is faster than {baseline}: {facts}."
    found = speeds[winner.name]
    gain = f"{times(found.value)} as fast as {baseline}"
    if found.low <= 1:
        gain += f", which is no clear gain (95 % {digits(found.low)}–{digits(found.high)}×)"
    judged = f" within a drift of {budget * 100:g} %" if winner.drift else ""
    return f"{winner.name} is the fastest{judged}: {facts}, {gain}{_drift_of(winner)}."


def _drift_of(subject: SubjectResult) -> str:
    return f", drift {share(subject.drift.mean)}" if subject.drift else ""


def _close(
    order: list[SubjectResult], winner: SubjectResult | None, timed: Mapping[str, Latency], budget: float
) -> Iterator[str]:
    """Name the subjects that the times do not tell from the winner."""
    for one in order:
        if winner is None or one is winner or not within(one, budget):
            continue
        slower = speed(timed[one.name], timed[winner.name])
        if slower.low <= 1 + ALARM:
            interval = f"{digits(slower.low)}–{digits(slower.high)}×"
            yield f"{one.name} is not clearly slower than {winner.name} (95 % {interval})."


def _faster_but_over(
    order: list[SubjectResult], winner: SubjectResult | None, timed: Mapping[str, Latency], budget: float
) -> Iterator[str]:
    """Name the subjects that would win but for their drift."""
    for one in order:
        if one is winner:
            return
        if one.drift:
            why = f"{one.drift.nonfinite} values are not finite" if one.drift.nonfinite else _over(one, budget)
            yield f"{one.name} takes {amount(timed[one.name].p50_ms.value, 'ms')}, but {why}."


def _over(subject: SubjectResult, budget: float) -> str:
    drift = subject.drift.mean if subject.drift else 0.0
    return f"its drift of {amount(drift, 'share')} is over {budget * 100:g} %"


def _drifts(report: Report, budget: float) -> Iterator[str]:
    over = [one.name for one in report.subjects if not within(one, budget)]
    if any(one.drift for one in report.subjects):
        limit = f"{budget * 100:g} %"
        yield f"Over a drift of {limit}: {_listed(over)}." if over else f"All drift by {limit} at most."


def _at_rate(report: Report) -> Iterator[str]:
    found = [(one.name, rate) for one in report.subjects if (rate := latency_in(one, "rate")) and rate.rate_hz]
    if not found:
        return
    kept = [name for name, rate in found if not rate.missed]
    missed = [f"{name} misses {share(missed_share(rate) or 0.0)}" for name, rate in found if rate.missed]
    rate_hz = found[0][1].rate_hz or 0.0
    keeps = [f"{_listed(kept)} {'keeps' if len(kept) == 1 else 'keep'} up"] if kept else []
    yield f"At {rate_hz:g} frames a second {'; '.join([*keeps, *filter(None, [_listed(missed)])])}."


def _listed(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _accuracy(report: Report, baseline: str) -> Iterator[str]:
    """Say how abs_rel spreads over the subjects that were judged alike, on the first data set."""
    conditions, found = first_accuracy(report)
    values = {name: one.metrics["abs_rel"] for name, one in found.items() if "abs_rel" in one.metrics}
    if len(values) < 2:
        return
    best, worst = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    at_baseline = f"; {baseline} has {digits(values[baseline])}" if baseline in values.keys() - {best, worst} else ""
    yield (
        f"abs_rel ({conditions}) is {digits(values[best])} ({best}) to {digits(values[worst])} ({worst}){at_baseline}."
    )


def _failures(report: Report) -> Iterator[str]:
    for one in report.subjects:
        if one.failure:
            yield f"{one.name} {'failed' if one.latency else 'gave no figures'}: {one.failure.rstrip('.')}."
