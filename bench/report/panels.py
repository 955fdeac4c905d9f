"""The plots of a report: panels of rows; a row is a name, a figure as text and a small SVG."""

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
        svg: The plot; it holds no text of users.
        role: As in Summary.role; sets the plot's colour.
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
        title: Of the panel.
        rows: One or more for each subject.
        axis: SVG.
        keys: Meanings of the colours 0, 1, ...
    """

    title: str
    rows: tuple[Row, ...]
    axis: str = ""
    keys: tuple[str, ...] = ()


def latency_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Yield a panel for each scope, all on one axis, so that the eye can compare them."""
    timed = [latency for subject in report.subjects for latency in subject.latency]
    axis = fit_axis([value for found in timed for value in (_least(found), found.p50_ms.high, found.p99_ms.value)])
    for scope, title in SCOPE_NAMES.items():
        rows = [
            Row(
                subject.name,
                amount(latency.p50_ms.value, "ms"),
                strip_svg(
                    axis,
                    latency.p50_ms,
                    samples=latency.samples_ms,
                    tail=latency.p99_ms.value,
                    limit=1000 / latency.rate_hz if latency.rate_hz else None,
                ),
                summary.role(subject),
            )
            for subject in report.subjects
            if (latency := latency_in(subject, scope))
        ]
        if rows:
            rates = {latency.rate_hz for latency in timed if latency.scope == scope and latency.rate_hz}
            rate = f", {', '.join(f'{rate:g}' for rate in sorted(rates))} Hz" if rates else ""
            yield Panel(f"{scope}: {title}{rate}", tuple(rows), axis_svg(axis, "ms"))


def stage_panel(report: Report, summary: Summary) -> Panel:
    """Return the time of each stage from file to file."""
    names = stage_names(report)
    timed = [subject for subject in report.subjects if subject.stages_ms]
    parts = [[(names.index(name), value) for name, value in subject.stages_ms.items()] for subject in timed]
    return _stacks("Stages, file to file", timed, parts, names, summary)


def cold_panel(report: Report, summary: Summary) -> Panel:
    """Return the times from no process to the first depth."""
    started = [subject for subject in report.subjects if subject.cold]
    parts = [
        list(enumerate((cold.process_ms, cold.import_ms, cold.load_ms, cold.first_ms)))
        for subject in started
        if (cold := subject.cold)
    ]
    return _stacks("From no process to the first depth", started, parts, _COLD_PARTS, summary)


def throughput_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Yield a panel for each batch size and number of streams."""
    measured = [load for subject in report.subjects for load in subject.throughput]
    axis = fit_axis([load.images_per_s.high for load in measured], log=False)
    for batch, streams in sorted({(load.batch, load.streams) for load in measured}):
        rows = [
            Row(
                subject.name,
                digits(load.images_per_s.value),
                bar_svg(axis, load.images_per_s),
                summary.role(subject),
            )
            for subject in report.subjects
            if (load := _throughput(subject, batch, streams))
        ]
        title = f"batch {batch}, {streams} stream{'s' if streams > 1 else ''}"
        yield Panel(title, tuple(rows), axis_svg(axis, "images/s"))


def resource_panels(report: Report, summary: Summary) -> Iterator[Panel]:
    """Yield panels of memory and energy, each if it was measured."""
    subjects = report.subjects
    kinds = (
        ("Peak memory of the process", "MiB", [found.cold.peak_rss_mib if found.cold else None for found in subjects]),
        ("GPU memory after two images", "MiB", [found.vram_mib for found in subjects]),
        ("Energy per image", "J", [found.energy.joules if found.energy else None for found in subjects]),
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
    """Return the median latency of each load of a model."""
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
    sums = [sum(value for _, value in stack) for stack in parts]
    axis = fit_axis(sums, log=False)
    rows = [
        Row(subject.name, amount(total, "ms"), stack_svg(axis, stack), summary.role(subject))
        for subject, stack, total in zip(subjects, parts, sums, strict=True)
    ]
    return Panel(title, tuple(rows), axis_svg(axis, "ms"), tuple(names))


def _throughput(subject: SubjectResult, batch: int, streams: int) -> Throughput | None:
    return next((load for load in subject.throughput if (load.batch, load.streams) == (batch, streams)), None)


def _least(latency: Latency) -> float:
    return min(latency.samples_ms, default=latency.p50_ms.low)


def _spread(values: Sequence[float]) -> str:
    return f"{digits(min(values))}–{digits(max(values))} ms"
