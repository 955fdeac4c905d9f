"""The tables of a report as text cells, for HTML and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..numbers.figures import COMPUTED_IN, best_throughput, conditions_of, first_accuracy, latency_in, missed_share
from ..numbers.result import METRICS, Interval, Latency, Metric, Report, SubjectResult
from ..numbers.wording import ABSENT, amount, between, digits, share, times
from .summary import Summary

_ROLE_NOTES = {"over": "over budget", "baseline": "baseline"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Args:
        title: Of the table.
        columns: Headings; the first column names the subjects.
        rows: As many cells as columns.
        note: How to read it.
        words: Headings of columns of words, which are aligned to the left.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: tuple[str, ...] = ()


def summary_table(report: Report, summary: Summary) -> Table:
    """Return the main figures, a row for each subject; empty columns are left out."""
    conditions, judged = first_accuracy(report)

    def metric(subject: SubjectResult, name: Metric) -> str:
        return _optional(judged[subject.name].metrics.get(name) if subject.name in judged else None)

    columns: dict[str, Callable[[SubjectResult], str]] = {
        "subject": lambda subject: subject.name,
        "precision": _precision,
        "runner": lambda subject: subject.facts.get("runner", ABSENT),
        "p50": lambda subject: _of_latency(subject, summary.scope, lambda found: found.p50_ms),
        "p90": lambda subject: _of_latency(subject, summary.scope, lambda found: found.p90_ms),
        "speed": lambda subject: _of_speed(summary.speeds.get(subject.name)),
        "drift": lambda subject: amount(subject.drift.mean, "share") if subject.drift else ABSENT,
        "abs_rel": lambda subject: metric(subject, "abs_rel"),
        "δ1": lambda subject: metric(subject, "delta1"),
        "peak RSS": lambda subject: amount(subject.cold.peak_rss_mib, "MiB") if subject.cold else ABSENT,
        "VRAM": lambda subject: amount(subject.vram_mib, "MiB"),
        "": lambda subject: "failed" if subject.failure else _role(subject, summary),
    }
    rows = [tuple(read(subject) for read in columns.values()) for subject in report.subjects]
    note = f"p50 and p90: {summary.scope}. " if summary.baseline else ""
    # A slow minute slows both of a turn, so this ratio is steadier than the ratio of the medians, and can differ.
    note += f"Speed: turn by turn against {summary.baseline}." if summary.baseline else ""
    note += f" abs_rel and δ1: {conditions}." if conditions else ""
    return _filled("Summary", tuple(columns), rows, note.strip(), ("precision", "runner", ""))


def latency_table(report: Report) -> Table:
    """Return every percentile of every scope except the rate-driven one."""
    rows = [
        (subject.name, latency.scope, *_percentiles(latency), str(len(latency.samples_ms)), _warmup(latency))
        for subject in report.subjects
        for latency in subject.latency
        if latency.scope != "rate"
    ]
    columns = ("subject", "scope", "p50", "p90", "p95", "p99", "mean", "samples", "warm-up")
    return Table("Latency, ms, with 95 % intervals", columns, tuple(rows), words=("scope",))


def rate_table(report: Report) -> Table:
    """Return latency, jitter and missed frames at a fixed rate."""
    rows = [
        (
            subject.name,
            ABSENT if latency.rate_hz is None else f"{latency.rate_hz:g} Hz",
            amount(latency.p50_ms.value, "ms"),
            amount(latency.p99_ms.value, "ms"),
            amount(latency.jitter_ms, "ms"),
            ABSENT if latency.missed is None else f"{latency.missed} ({share(missed_share(latency) or 0.0)})",
        )
        for subject in report.subjects
        if (latency := latency_in(subject, "rate"))
    ]
    note = "From a frame's arrival to its depth. A frame waits while the subject is busy; a newer frame replaces it."
    return Table("Frames at a fixed rate", ("subject", "rate", "p50", "p99", "jitter", "missed"), tuple(rows), note)


def throughput_table(report: Report) -> Table:
    """Return images a second by batch and streams."""
    rows = [
        (
            subject.name,
            *map(str, (load.batch, load.streams)),
            digits(load.images_per_s.value),
            between(load.images_per_s, ""),
        )
        for subject in report.subjects
        for load in subject.throughput
    ]
    return Table("Throughput", ("subject", "batch", "streams", "images/s", "95 %"), tuple(rows))


def stage_table(report: Report) -> Table:
    """Return the median of each stage from file to file."""
    stages = stage_names(report)
    rows = [
        (subject.name, *(_optional(subject.stages_ms.get(stage)) for stage in stages))
        for subject in report.subjects
        if subject.stages_ms
    ]
    return Table("Stages, ms", ("subject", *stages), tuple(rows), "Medians of each stage from file to file.")


def stage_names(report: Report) -> tuple[str, ...]:
    """Return the stages that any subject has, in order."""
    return tuple(dict.fromkeys(name for subject in report.subjects for name in subject.stages_ms))


def cold_table(report: Report) -> Table:
    """Return the times from no process to depth."""
    rows = []
    for subject in report.subjects:
        if cold := subject.cold:
            parts = (cold.process_ms, cold.import_ms, cold.load_ms, cold.first_ms)
            cells = [digits(value) for value in (*parts, sum(parts), cold.second_ms)]
            rows.append((subject.name, *cells, str(cold.processes)))
    columns = ("subject", "process", "import", "load", "first", "until first depth", "second", "processes")
    return Table("Cold start, ms", columns, tuple(rows), "Medians over new processes.")


def resource_table(report: Report) -> Table:
    """Return memory, energy, the best throughput and the spread of the latency between loads."""
    rows = [
        (
            subject.name,
            amount(subject.cold.peak_rss_mib if subject.cold else None, "MiB"),
            amount(subject.vram_mib, "MiB"),
            f"{amount(subject.energy.joules, 'J')} ({subject.energy.source})" if subject.energy else ABSENT,
            _of_interval(best_throughput(subject), "images/s"),
            f"{digits(min(subject.builds_ms))}–{digits(max(subject.builds_ms))} ms" if subject.builds_ms else ABSENT,
        )
        for subject in report.subjects
    ]
    columns = ("subject", "peak RSS", "VRAM", "energy per image", "best throughput", "median of each load")
    return _filled("Memory, energy, throughput", columns, rows, "")


def memory_table(report: Report) -> Table:
    """Return the memory that each step of a fresh process added."""
    started = [(subject.name, subject.cold) for subject in report.subjects if subject.cold and subject.cold.memory]
    steps = dict.fromkeys(step.step for _, cold in started for step in cold.memory)
    rows = []
    for name, cold in started:
        before_mib, added = 0.0, {}
        for step in cold.memory:
            added[step.step], before_mib = f"{step.rss_mib - before_mib:+.0f}", step.rss_mib
        files_mib = cold.memory[-1].files_mib
        cells = (added.get(step, ABSENT) for step in steps)
        rows.append((name, *cells, f"{before_mib:.0f}", f"{files_mib:.0f}", f"{cold.peak_rss_mib:.0f}"))
    columns = ("subject", *steps, "in RAM then", "files in it", "peak")
    note = "Memory that each step added; files are libraries and mapped models, which the system can drop."
    return Table("Memory of a fresh process, MiB", columns, tuple(rows), note)


def drift_table(report: Report) -> Table:
    """Return the drift of each subject."""
    rows = [
        (
            subject.name,
            share(found.mean),
            share(found.p99),
            f"{share(found.worst)} ({found.worst_image})",
            amount(found.edge_f1, "share"),
            amount(found.temporal, "share"),
            str(found.nonfinite),
            " · ".join(share(band.drift) for band in found.bands) or ABSENT,
        )
        for subject in report.subjects
        if (found := subject.drift)
    ]
    columns = ("subject", "mean", "p99", "worst image", "edge F1", "temporal", "non-finite", "far to near")
    note = "Absolute difference from the reference, divided by the width of the reference's 2–98 % range."
    return _filled(f"Drift against {report.reference or 'the reference'}", columns, rows, note)


def accuracy_tables(report: Report) -> Iterator[Table]:
    """Yield a table for each data set and its rules."""
    judged = [(subject.name, accuracy) for subject in report.subjects for accuracy in subject.accuracy]
    for title in dict.fromkeys(conditions_of(accuracy) for _, accuracy in judged):
        rows = [
            (name, *(_optional(accuracy.metrics.get(metric)) for metric in METRICS), str(len(accuracy.images)))
            for name, accuracy in judged
            if conditions_of(accuracy) == title
        ]
        yield Table(title, ("subject", *(_short(metric) for metric in METRICS), "images"), tuple(rows))


def _filled(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], note: str, words: tuple[str, ...] = ()
) -> Table:
    """Return a table without its empty columns."""
    kept = [at for at in range(len(columns)) if at == 0 or any(row[at] not in ("", ABSENT) for row in rows)]
    cells = tuple(tuple(row[at] for at in kept) for row in rows)
    return Table(title, tuple(columns[at] for at in kept), cells, note, words)


def _role(subject: SubjectResult, summary: Summary) -> str:
    """Return what a subject is in the report, in words that its figures bear out."""
    role = summary.role(subject)
    if role != "winner":
        return _ROLE_NOTES.get(role, "")
    if summary.speeds[subject.name].low <= 1:
        return "not clearly faster"
    return "fastest in budget" if subject.drift else "fastest"


def _precision(subject: SubjectResult) -> str:
    """Return the precision of a subject, and that of its arithmetic if it is another."""
    precision, computed = subject.facts.get("precision", ABSENT), subject.facts.get(COMPUTED_IN)
    return f"{precision}, computed in {computed}" if computed else precision


def _of_latency(subject: SubjectResult, scope: str, read: Callable[[Latency], Interval]) -> str:
    found = latency_in(subject, scope)
    return ABSENT if found is None else amount(read(found).value, "ms")


def _of_speed(found: Interval | None) -> str:
    return ABSENT if found is None else times(found.value)


def _of_interval(found: Interval | None, unit: str) -> str:
    return ABSENT if found is None else amount(found.value, unit)


def _percentiles(latency: Latency) -> Iterator[str]:
    for found in (latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.mean_ms):
        yield f"{digits(found.value)} ({between(found, '')})"


def _warmup(latency: Latency) -> str:
    return f"{latency.warmup}{'' if latency.steady else ', not steady'}"


def _optional(value: float | None) -> str:
    return ABSENT if value is None else digits(value)


def _short(metric: str) -> str:
    return metric.replace("delta", "δ")
