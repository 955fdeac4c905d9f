"""The tables of a report, as text cells: HTML and Markdown show the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..numbers.figures import best_throughput, conditions_of, first_accuracy, latency_in, missed_share
from ..numbers.result import METRICS, Interval, Latency, Metric, Report, SubjectResult
from ..numbers.wording import ABSENT, amount, between, digits, share, times
from .summary import Summary

_ROLE_NOTES = {"over": "over budget", "baseline": "baseline", "winner": "fastest in budget"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Args:
        title: What it shows.
        columns: Headings; the first is of the subjects.
        rows: As many cells as columns.
        note: How to read it.
        words: Headings of columns that hold words, which are not aligned as numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: tuple[str, ...] = ()


def summary_table(report: Report, summary: Summary) -> Table:
    """Return the figures that decide, one row a subject; columns that nobody has are left out."""
    conditions, judged = first_accuracy(report)

    def metric(subject: SubjectResult, name: Metric) -> str:
        return _optional(judged[subject.name].metrics.get(name) if subject.name in judged else None)

    columns: dict[str, Callable[[SubjectResult], str]] = {
        "subject": lambda one: one.name,
        "precision": lambda one: one.facts.get("precision", ABSENT),
        "runner": lambda one: one.facts.get("runner", ABSENT),
        "p50": lambda one: _of_latency(one, summary.scope, lambda found: found.p50_ms),
        "p90": lambda one: _of_latency(one, summary.scope, lambda found: found.p90_ms),
        "speed": lambda one: times(summary.speeds[one.name].value) if one.name in summary.speeds else ABSENT,
        "drift": lambda one: amount(one.drift.mean, "share") if one.drift else ABSENT,
        "abs_rel": lambda one: metric(one, "abs_rel"),
        "δ1": lambda one: metric(one, "delta1"),
        "peak RSS": lambda one: amount(one.cold.peak_rss_mib, "MiB") if one.cold else ABSENT,
        "VRAM": lambda one: amount(one.vram_mib, "MiB"),
        "": lambda one: "failed" if one.failure else _ROLE_NOTES.get(summary.role(one), ""),
    }
    rows = [tuple(read(one) for read in columns.values()) for one in report.subjects]
    note = f"p50 and p90: {summary.scope}. " if summary.baseline else ""
    # A slow minute meets both of a turn, so this ratio is steadier than that of the two medians, and can differ.
    note += f"Speed: turn by turn against {summary.baseline}." if summary.baseline else ""
    note += f" abs_rel and δ1: {conditions}." if conditions else ""
    return _filled("Summary", tuple(columns), rows, note.strip(), ("precision", "runner", ""))


def latency_table(report: Report) -> Table:
    """Return every percentile of every scope but the rate-driven one."""
    rows = [
        (subject.name, one.scope, *_percentiles(one), str(len(one.samples_ms)), _warmup(one))
        for subject in report.subjects
        for one in subject.latency
        if one.scope != "rate"
    ]
    columns = ("subject", "scope", "p50", "p90", "p95", "p99", "mean", "samples", "warm-up")
    return Table("Latency, ms, with 95 % intervals", columns, tuple(rows), words=("scope",))


def rate_table(report: Report) -> Table:
    """Return what frames at a fixed rate meet."""
    rows = [
        (
            subject.name,
            f"{one.rate_hz:g} Hz",
            amount(one.p50_ms.value, "ms"),
            amount(one.p99_ms.value, "ms"),
            amount(one.jitter_ms, "ms"),
            ABSENT if one.missed is None else f"{one.missed} ({share(missed_share(one) or 0.0)})",
        )
        for subject in report.subjects
        if (one := latency_in(subject, "rate"))
    ]
    note = "From a frame's arrival to its depth. A frame that finds the subject busy waits; a newer one replaces it."
    return Table("Frames at a fixed rate", ("subject", "rate", "p50", "p99", "jitter", "missed"), tuple(rows), note)


def throughput_table(report: Report) -> Table:
    """Return images a second by batch and streams."""
    rows = [
        (subject.name, str(one.batch), str(one.streams), digits(one.images_per_s.value), between(one.images_per_s, ""))
        for subject in report.subjects
        for one in subject.throughput
    ]
    return Table("Throughput", ("subject", "batch", "streams", "images/s", "95 %"), tuple(rows))


def stage_table(report: Report) -> Table:
    """Return the median of each part of a call from file to file."""
    names = stage_names(report)
    rows = [
        (one.name, *(_optional(one.stages_ms.get(name)) for name in names)) for one in report.subjects if one.stages_ms
    ]
    return Table("Stages, ms", ("subject", *names), tuple(rows), "Medians of each part of a call from file to file.")


def stage_names(report: Report) -> tuple[str, ...]:
    """Return the parts of a call that any subject has, in order."""
    return tuple(dict.fromkeys(name for subject in report.subjects for name in subject.stages_ms))


def cold_table(report: Report) -> Table:
    """Return the way from no process to depth."""
    rows = []
    for subject in report.subjects:
        if cold := subject.cold:
            parts = (cold.process_ms, cold.import_ms, cold.load_ms, cold.first_ms)
            cells = [digits(value) for value in (*parts, sum(parts), cold.second_ms)]
            rows.append((subject.name, *cells, str(cold.processes)))
    columns = ("subject", "process", "import", "load", "first", "until first depth", "second", "processes")
    return Table("Cold start, ms", columns, tuple(rows), "Medians over new processes.")


def resource_table(report: Report) -> Table:
    """Return memory, energy, the best throughput and how loading anew changes the latency."""
    rows = [
        (
            one.name,
            amount(one.cold.peak_rss_mib if one.cold else None, "MiB"),
            amount(one.vram_mib, "MiB"),
            f"{amount(one.energy.joules, 'J')} ({one.energy.source})" if one.energy else ABSENT,
            _of_interval(best_throughput(one), "images/s"),
            f"{digits(min(one.builds_ms))}–{digits(max(one.builds_ms))} ms" if one.builds_ms else ABSENT,
        )
        for one in report.subjects
    ]
    columns = ("subject", "peak RSS", "VRAM", "energy an image", "best throughput", "median of each load")
    return _filled("Memory, energy, throughput", columns, rows, "")


def memory_table(report: Report) -> Table:
    """Return where the memory of a fresh process goes: what each step of its start added."""
    started = [(one.name, one.cold) for one in report.subjects if one.cold and one.cold.memory]
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
    note = "What each step added; files are libraries and mapped models, which the system can drop."
    return Table("Memory of a fresh process, MiB", columns, tuple(rows), note)


def drift_table(report: Report) -> Table:
    """Return how far each subject is from the reference."""
    rows = [
        (
            subject.name,
            share(found.mean),
            share(found.p99),
            f"{share(found.worst)} ({found.worst_image})",
            ABSENT if found.edge_f1 is None else digits(found.edge_f1),
            amount(found.temporal, "share"),
            str(found.nonfinite),
            " · ".join(share(band.drift) for band in found.bands) or ABSENT,
        )
        for subject in report.subjects
        if (found := subject.drift)
    ]
    columns = ("subject", "mean", "p99", "worst image", "edge F1", "temporal", "non-finite", "far to near")
    note = "Absolute difference from the reference over the reference's 2–98 % range."
    return _filled(f"Drift against {report.reference or 'the reference'}", columns, rows, note)


def accuracy_tables(report: Report) -> Iterator[Table]:
    """Give one table a data set and way of judging."""
    names = dict.fromkeys(conditions_of(one) for subject in report.subjects for one in subject.accuracy)
    for name in names:
        found = [(subject.name, one) for subject in report.subjects for one in subject.accuracy]
        rows = [
            (subject, *(_optional(one.metrics.get(metric)) for metric in METRICS), str(len(one.images)))
            for subject, one in found
            if conditions_of(one) == name
        ]
        yield Table(name, ("subject", *(_short(metric) for metric in METRICS), "images"), tuple(rows))


def _filled(
    title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], note: str, words: tuple[str, ...] = ()
) -> Table:
    """Return a table without the columns in which no row has anything."""
    kept = [at for at in range(len(columns)) if at == 0 or any(row[at] not in ("", ABSENT) for row in rows)]
    cells = tuple(tuple(row[at] for at in kept) for row in rows)
    return Table(title, tuple(columns[at] for at in kept), cells, note, words)


def _of_latency(subject: SubjectResult, scope: str, read: Callable[[Latency], Interval]) -> str:
    found = latency_in(subject, scope)
    return ABSENT if found is None else amount(read(found).value, "ms")


def _of_interval(found: Interval | None, unit: str) -> str:
    return ABSENT if found is None else amount(found.value, unit)


def _percentiles(one: Latency) -> Iterator[str]:
    for found in (one.p50_ms, one.p90_ms, one.p95_ms, one.p99_ms, one.mean_ms):
        yield f"{digits(found.value)} ({between(found, '')})"


def _warmup(one: Latency) -> str:
    return f"{one.warmup}{'' if one.steady else ', not steady'}"


def _optional(value: float | None) -> str:
    return ABSENT if value is None else digits(value)


def _short(metric: str) -> str:
    return metric.replace("delta", "δ")
