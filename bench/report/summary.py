"""A report in a few sentences: the recommended subject, its gain and its drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..numbers.figures import COMPUTED_IN, MAIN_SCOPE, first_accuracy, latency_in, missed_share, speed
from ..numbers.result import Drift, Interval, Latency, Report, SubjectResult
from ..numbers.statistics import ALARM
from ..numbers.wording import amount, digits, limit, share, times

DRIFT_BUDGET = 0.01  # of the range. bf16 drifts by 0.1 %, int8 by 0.5 %; above 1 % depth edges begin to move
SCOPE_NAMES = {
    "kernel": "network only",
    "host": "image array to depth array",
    "file": "file to file",
    "rate": "frames at a fixed rate",
}
_ORDER = (MAIN_SCOPE, "file", "kernel", "rate")  # the first measured scope is that of the headline


@dataclass(frozen=True, slots=True)
class Summary:
    """The first sentences of a report, and the figures behind them.

    Args:
        headline: One sentence.
        sentences: The following ones.
        scope: Of headline, ratios and order; "" without latency.
        baseline: Name of the subject that ratios are against; "" without latency.
        winner: Name of the fastest subject within the budget; "" without one.
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
    """Find the fastest subject within the budget and compare it with the others.

    Args:
        report: Of any run; latency may be missing.
        drift_budget: Largest mean drift of a subject that may win; a subject that failed never wins.
    """
    sound = [subject for subject in report.subjects if not subject.failure]
    scope = next((scope for scope in _ORDER if any(latency_in(subject, scope) for subject in sound)), "")
    timed = {subject.name: found for subject in sound if (found := latency_in(subject, scope))}
    if not timed:
        sentences = (*_drifts(report, drift_budget), *_accuracy(report, ""), *_failures(report))
        return Summary("No latency was measured.", sentences, "", "", "", {}, drift_budget)
    baseline = report.reference if report.reference in timed else next(iter(timed))
    in_run = scope == MAIN_SCOPE and baseline == report.reference
    measured = {subject.name: subject.speed for subject in sound if in_run}
    speeds = {name: measured.get(name) or speed(timed[baseline], found) for name, found in timed.items()}
    order = sorted(
        (subject for subject in sound if subject.name in timed), key=lambda subject: timed[subject.name].p50_ms.value
    )
    winner = next((subject for subject in order if within(subject, drift_budget)), None)
    sentences = (
        *_close(order, winner, timed, drift_budget),
        *_faster_but_over(order, winner, timed, drift_budget),
        *_at_rate(report),
        *_accuracy(report, baseline),
        *_failures(report),
    )
    judged = any(subject.drift for subject in sound)
    headline = _headline(winner, baseline, timed, speeds, scope, drift_budget, judged=judged)
    return Summary(headline, sentences, scope, baseline, winner.name if winner else "", speeds, drift_budget)


def within(subject: SubjectResult, budget: float) -> bool:
    """Whether a subject stays within the budget; so does a subject whose drift was not measured."""
    drift = subject.drift
    return drift is None or (drift.mean <= budget and drift.nonfinite == 0)


def _headline(
    winner: SubjectResult | None,
    baseline: str,
    timed: Mapping[str, Latency],
    speeds: Mapping[str, Interval],
    scope: str,
    budget: float,
    *,
    judged: bool,
) -> str:
    if winner is None:
        return f"No subject stays within a drift of {limit(budget)}."
    facts = f"{amount(timed[winner.name].p50_ms.value, 'ms')} from {SCOPE_NAMES[scope]}"
    if scope in ("kernel", "rate"):
        facts = f"{amount(timed[winner.name].p50_ms.value, 'ms')}, {SCOPE_NAMES[scope]}"
    facts += _computed(winner)
    if len(timed) == 1:
        return f"{winner.name} takes {facts}{_drift_of(winner)}."
    within_budget = f" within a drift of {limit(budget)}" if judged else ""
    if winner.name == baseline:
        return f"Nothing{within_budget} is faster than {baseline}: {facts}."
    found = speeds[winner.name]
    gain = f"{times(found.value)} as fast as {baseline}"
    if found.low <= 1:
        gain += f" (95 % {digits(found.low)}–{digits(found.high)}×)"
        return f"Nothing{within_budget} is clearly faster than {baseline}: {winner.name} takes {facts}, {gain}."
    return f"{winner.name} is the fastest{within_budget}: {facts}, {gain}{_drift_of(winner)}."


def _computed(subject: SubjectResult) -> str:
    """Return what a subject is computed in, if that is not the precision of its file."""
    found = subject.facts.get(COMPUTED_IN)
    return f", computed in {found}" if found else ""


def _drift_of(subject: SubjectResult) -> str:
    return f", drift {share(subject.drift.mean)}" if subject.drift else ""


def _close(
    order: list[SubjectResult], winner: SubjectResult | None, timed: Mapping[str, Latency], budget: float
) -> Iterator[str]:
    """Name the subjects that are not clearly slower than the winner."""
    for subject in order:
        if winner is None or subject is winner or not within(subject, budget):
            continue
        slower = speed(timed[subject.name], timed[winner.name])
        interval = f"95 % {digits(slower.low)}–{digits(slower.high)}×"
        if slower.low <= 1:
            yield f"{subject.name} is not clearly slower than {winner.name} ({interval})."
        elif slower.low <= 1 + ALARM:
            yield (
                f"{subject.name} is slower than {winner.name} ({interval}), perhaps by less than the {limit(ALARM)} "
                "that two runs of the same code may differ by."
            )


def _faster_but_over(
    order: list[SubjectResult], winner: SubjectResult | None, timed: Mapping[str, Latency], budget: float
) -> Iterator[str]:
    """Name the subjects that are faster than the winner and over the budget."""
    for subject in order:
        if subject is winner:
            return
        if drift := subject.drift:
            why = f"{drift.nonfinite} values are not finite" if drift.nonfinite else _over(drift, budget)
            yield f"{subject.name} takes {amount(timed[subject.name].p50_ms.value, 'ms')}, but {why}."


def _over(drift: Drift, budget: float) -> str:
    return f"its drift of {amount(drift.mean, 'share')} is over {limit(budget)}"


def _drifts(report: Report, budget: float) -> Iterator[str]:
    over = [subject.name for subject in report.subjects if not within(subject, budget)]
    if any(subject.drift for subject in report.subjects):
        most = limit(budget)
        yield f"Over a drift of {most}: {_listed(over)}." if over else f"All drift by {most} at most."


def _at_rate(report: Report) -> Iterator[str]:
    found = [
        (subject.name, rate) for subject in report.subjects if (rate := latency_in(subject, "rate")) and rate.rate_hz
    ]
    if not found:
        return
    kept = [name for name, rate in found if not rate.missed]
    missed = [f"{name} misses {share(missed_share(rate) or 0.0)}" for name, rate in found if rate.missed]
    rate_hz = found[0][1].rate_hz or 0.0
    keeps = [f"{_listed(kept)} {'keeps' if len(kept) == 1 else 'keep'} up"] if kept else []
    yield f"At {rate_hz:g} frames a second, {'; '.join([*keeps, *filter(None, [_listed(missed)])])}."


def _listed(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _accuracy(report: Report, baseline: str) -> Iterator[str]:
    """State the best and the worst abs_rel on the first data set, among subjects that were judged by the same rules."""
    conditions, found = first_accuracy(report)
    values = {name: accuracy.metrics["abs_rel"] for name, accuracy in found.items() if "abs_rel" in accuracy.metrics}
    if len(values) < 2:
        return
    best, worst = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    at_baseline = f"; {baseline} has {digits(values[baseline])}" if baseline in values.keys() - {best, worst} else ""
    yield (
        f"abs_rel ({conditions}) is {digits(values[best])} ({best}) to {digits(values[worst])} ({worst}){at_baseline}."
    )


def _failures(report: Report) -> Iterator[str]:
    for subject in report.subjects:
        if subject.failure:
            what = "failed" if subject.latency else "gave no figures"
            yield f"{subject.name} {what}: {subject.failure.rstrip('.')}."
