"""The plots of a report: panels of rows, each row a name, a figure as text and its small SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..numbers.figures import latency_in
from ..numbers.result import Interval, Latency, Report, SubjectResult, Throughput
from ..numbers.wording import amount, digits, share
from .summary import SCOPE_NAMES, Summary
from .svg import axis_svg, bar_svg, columns_svg, dots_svg, fit_axis, stack_svg, strip_svg
from .tables import stage_names

_COLD_PARTS = ("process", "import", "load", "first inference")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in a panel.

    Args:
        name: Of the subject.
        value: The figure as text.
        svg: The plot, safe to place as it is.
        role: As Summary.role; colours the plot.
        labels: Texts under the plot, evenly spread.
    """

    name: str
    value: str
    svg: str
    role: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows over one axis.

    Args:
        title: What it shows.
        rows: One a subject or more.
        axis: SVG, "" where rows have labels of their own.
        keys: What the colours 0, 1, ... stand for.
    """

    title: str
    rows: tuple[Row, ...]
    axis: str = ""
    keys: tuple[str, ...] = ()


def latency_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Give one panel a scope, all on one axis: the eye may compare across them."""
    timed = [one for subject in report.subjects for one in subject.latency]
    axis = fit_axis([value for one in timed for value in (_least(one), one.p50_ms.high, one.p99_ms.value)])
    for scope, title in SCOPE_NAMES.items():
        rows = [
            Row(
                subject.name,
                amount(one.p50_ms.value, "ms"),
                strip_svg(
                    axis,
                    one.p50_ms,
                    samples=one.samples_ms,
                    tail=one.p99_ms.value,
                    limit=1000 / one.rate_hz if one.rate_hz else None,
                ),
                summary.role(subject),
            )
            for subject in report.subjects
            if (one := latency_in(subject, scope))
        ]
        if rows:
            rates = {one.rate_hz for one in timed if one.scope == scope and one.rate_hz}
            rate = f", {', '.join(f'{rate:g}' for rate in sorted(rates))} Hz" if rates else ""
            yield Panel(f"{scope}: {title}{rate}", tuple(rows), axis_svg(axis, "ms"))


def stage_panel(report: Report, summary: Summary) -> Panel:
    """Return where a call from file to file spends its time."""
    names = stage_names(report)
    timed = [subject for subject in report.subjects if subject.stages_ms]
    parts = [[(names.index(name), value) for name, value in subject.stages_ms.items()] for subject in timed]
    return _stacks("Stages, file to file", timed, parts, names, summary)


def cold_panel(report: Report, summary: Summary) -> Panel:
    """Return the way from no process to the first depth."""
    started = [subject for subject in report.subjects if subject.cold]
    parts = [
        list(enumerate((cold.process_ms, cold.import_ms, cold.load_ms, cold.first_ms)))
        for subject in started
        if (cold := subject.cold)
    ]
    return _stacks("From no process to the first depth", started, parts, _COLD_PARTS, summary)


def throughput_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Give one panel a batch and number of streams."""
    values = [one.images_per_s.high for subject in report.subjects for one in subject.throughput]
    axis = fit_axis(values, log=False)
    ways = sorted({(one.batch, one.streams) for subject in report.subjects for one in subject.throughput})
    for batch, streams in ways:
        rows = [
            Row(
                subject.name,
                digits(one.images_per_s.value),
                bar_svg(axis, one.images_per_s),
                summary.role(subject),
            )
            for subject in report.subjects
            if (one := _throughput(subject, batch, streams))
        ]
        title = f"batch {batch}, {streams} stream{'s' if streams > 1 else ''}"
        yield Panel(title, tuple(rows), axis_svg(axis, "images/s"))


def resource_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Give memory and energy, each where it was measured."""
    kinds = (
        ("Peak memory of the process", "MiB", [one.cold.peak_rss_mib if one.cold else None for one in report.subjects]),
        ("GPU memory after two images", "MiB", [one.vram_mib for one in report.subjects]),
        ("Energy an image", "J", [one.energy.joules if one.energy else None for one in report.subjects]),
    )
    for title, unit, values in kinds:
        axis = fit_axis([value for value in values if value is not None], log=False)
        rows = [
            Row(subject.name, amount(value, unit), bar_svg(axis, Interval(value, value, value)), summary.role(subject))
            for subject, value in zip(report.subjects, values, strict=True)
            if value is not None
        ]
        if rows:
            yield Panel(title, tuple(rows), axis_svg(axis, unit))


def builds_panel(report: Report, summary: Summary) -> Panel:
    """Return the median latency of each time that a model was loaded anew."""
    built = [subject for subject in report.subjects if len(subject.builds_ms) > 1]
    axis = fit_axis([value for subject in built for value in subject.builds_ms])
    rows = [
        Row(subject.name, _spread(subject.builds_ms), dots_svg(axis, subject.builds_ms), summary.role(subject))
        for subject in built
    ]
    return Panel("Median of each load, host", tuple(rows), axis_svg(axis, "ms"))


def band_rows(report: Report, summary: Summary) -> tuple[Row, ...]:
    """Return drift by depth, far to near, all subjects on one scale."""
    drifts = [(subject, subject.drift) for subject in report.subjects if subject.drift and subject.drift.bands]
    values = [band.drift for _, drift in drifts for band in drift.bands if math.isfinite(band.drift)]
    return tuple(
        Row(
            subject.name,
            amount(drift.mean, "share"),
            columns_svg([band.drift for band in drift.bands], max(values, default=0.0)),
            summary.role(subject),
            tuple(share(band.drift) for band in drift.bands),
        )
        for subject, drift in drifts
    )


def _stacks(
    title: str,
    subjects: Sequence[SubjectResult],
    parts: Sequence[Sequence[tuple[int, float]]],
    names: Sequence[str],
    summary: Summary,
) -> Panel:
    sums = [sum(value for _, value in one) for one in parts]
    axis = fit_axis(sums, log=False)
    rows = [
        Row(subject.name, amount(total, "ms"), stack_svg(axis, one), summary.role(subject))
        for subject, one, total in zip(subjects, parts, sums, strict=True)
    ]
    return Panel(title, tuple(rows), axis_svg(axis, "ms"), tuple(names))


def _throughput(subject: SubjectResult, batch: int, streams: int) -> Throughput | None:
    return next((one for one in subject.throughput if (one.batch, one.streams) == (batch, streams)), None)


def _least(latency: Latency) -> float:
    return min(latency.samples_ms, default=latency.p50_ms.low)


def _spread(values: Sequence[float]) -> str:
    return f"{digits(min(values))}–{digits(max(values))} ms"
