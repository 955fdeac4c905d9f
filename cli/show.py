"""What the verbs of `depthrt` print: results to standard output, talk and progress to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from ..engine.errors import DepthrtError
from ..engine.modelfile.shipped import DEFAULT_NOTE

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ..bench.drift.bisect import Bisection
    from ..bench.numbers.result import Report
    from ..bench.report.page import ReportFiles
    from ..engine.model.depth_model import DepthModel
    from ..engine.model.doctor import Finding
    from ..engine.run.run_images import Written
    from ..engine.run.sheet import Sheet
    from ..engine.system.overlap import Outcome
    from ..export.to_onnx import Exported

_PIPE_WIDTH = 140  # columns of a table that no terminal shows


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """Show the step that long work is at; gives the function to call at each."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: click.echo(f"{step} ...", err=True)
        return
    with console.status("") as status:
        yield lambda step: status.update(f"{step} ...")


@contextmanager
def counted(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar; gives the function to call with (done, wanted)."""
    with _bar() as progress:
        task = progress.add_task(title, total=None, speed="")
        yield lambda done, wanted: progress.update(task, completed=done, total=wanted)


@contextmanager
def titled() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar a title; gives the function to call with (title, done, wanted)."""
    with _bar() as progress:
        tasks: dict[str, TaskID] = {}

        def on_step(title: str, done: int, wanted: int) -> None:
            if title not in tasks:
                for task in tasks.values():
                    progress.update(task, visible=False)
                tasks[title] = progress.add_task(title, total=wanted, speed="")
                if progress.disable:
                    _say(f"{title} ...")
            progress.update(tasks[title], completed=done, total=wanted)

        yield on_step


def show_report(report: Report, files: ReportFiles, *, drift_budget: float, as_json: bool) -> None:
    """Print what a benchmark found: its warnings, its first table and where the whole is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..bench.numbers.result_file import to_json
    from ..bench.report.summary import summarise_report
    from ..bench.report.tables import summary_table

    for warning in report.warnings:
        _say(f"warning: {warning}")
    for subject in report.subjects:
        if subject.failure:
            _say(f"error: {subject.name}: {subject.failure}")
    if as_json:
        _result(to_json(report))
    else:
        summary = summarise_report(report, drift_budget=drift_budget)
        found = summary_table(report, summary)
        title, caption = escape(summary.headline), escape(found.note)  # file names may have brackets
        table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
        for column in found.columns:
            words = column in (found.columns[0], *found.words)
            table.add_column(column, justify="left" if words else "right", overflow="fold")
        for row in found.rows:
            table.add_row(*map(escape, row))
        Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
    _say(f"report: {files.html}, {files.json.name}, {files.markdown.name}")


def show_bisection(found: Bisection) -> None:
    """Print where a suspect departs, and what should be computed in float32."""
    searched = f"{found.runs} runs over {found.nodes} nodes"
    if found.departure is None:
        _result(
            f"no departure: the answers differ by {found.difference:.2e}, tolerance {found.tolerance:g} ({searched})"
        )
        return
    one = found.departure
    _result(
        f"departs at {one.node} ({one.op}) of {one.layer}: "
        f"{one.difference:.2e}, before it {one.before:.2e} ({searched})"
    )
    _result(f"compute in float32: {', '.join(one.island)}")


def show_exported(exported: Exported, *, as_json: bool) -> None:
    """Print what an export wrote and its drift."""
    contract = exported.contract
    if as_json:
        parity = [asdict(one) for one in exported.parity]
        found = {"path": str(exported.path), "model": contract.model, "file_mib": exported.file_mib, "parity": parity}
        if exported.weights is not None:
            found["weights"] = str(exported.weights)
        if exported.quantised is not None:
            found["quantised"] = {key: value for key, value in asdict(exported.quantised).items() if key != "canary"}
        click.echo(json.dumps(found))
        return
    click.echo(f"{exported.path}: {contract.model}, {contract.precision}, {exported.file_mib:.1f} MiB")
    for one in exported.parity:
        shape = "x".join(str(side) for side in (one.images, 3, *one.input_px))
        click.echo(
            f"  against torch on {one.name} ({shape}): drift {one.drift:.1e} of the range, at most {one.largest:.1e}"
        )
    if exported.quantised is not None:
        click.echo(f"  {exported.quantised}")


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print what works on this machine."""
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
        return
    for finding in findings:
        mark = _coloured("works", "green") if finding.works else _coloured("no   ", "red")
        click.echo(f"{mark}  {finding.name:<17} {finding.detail}")
        if finding.remedy:
            click.echo(f"{'':<25}to have it: {finding.remedy}")


def _coloured(text: str, colour: str) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)  # Source: no-color.org


class RunReport:
    """Shows a run as it goes, and says at the end what was written and what failed."""

    def __init__(self, model: DepthModel, *, as_json: bool) -> None:
        self._as_json = as_json
        self.interrupted = False
        self.resumable = True  # whether --resume goes on where an interrupt stopped
        self._written = 0
        self._held: Counter[str] = Counter()  # frames of a video that is not whole, by its title
        self._failed: list[tuple[str, str]] = []
        self._outside = 0  # images
        self._start = perf_counter()
        runner = model.runner
        _say(f"{model.contract.model} {runner.precision} on {runner.name}, {runner.provider}")
        if DEFAULT_NOTE in model.notes:
            _say(DEFAULT_NOTE)

    @property
    def failed(self) -> int:
        """Number of inputs or frames that failed so far."""
        return len(self._failed)

    def follow(self, title: str, total: int | None, outcomes: Iterator[tuple[str, Outcome[Any, Written]]]) -> None:
        """Print each outcome as it comes, over a progress bar of `total` steps."""
        with _bar() as progress:
            task = progress.add_task(title, total=total, speed="")
            for name, outcome in outcomes:
                if outcome.result is not None:
                    self._outside += outcome.result.outside > 0
                    if outcome.result.paths:
                        self._written += 1
                    else:
                        self._held[title] += 1
                    self._show(name, outcome.result)
                else:
                    self.fail(name, outcome.error)
                self._advance(progress, task)

    def show_videos(self, title: str, paths: Sequence[Path]) -> None:
        """Print the depth videos of what was followed under a title: they are whole now."""
        self._written += self._held.pop(title, 0)
        if not paths:
            return
        if self._as_json:
            _result(json.dumps({"input": title, "outputs": [str(path) for path in paths]}))
            return
        for path in paths:
            _result(path)

    @contextmanager
    def failures_of(self, name: str) -> Iterator[None]:
        """Print what depthrt refuses in the block as the failure of a source."""
        try:
            yield
        except DepthrtError as error:
            self.fail(name, error)

    def fail(self, name: str, error: Exception | None) -> None:
        """Print one failure at once; it is named again at the end."""
        self._failed.append((name, str(error)))
        _say(f"error: {error}")
        if self._as_json:
            _result(json.dumps({"input": name, "error": str(error)}))

    def finish(self, skipped: int) -> None:
        """Print the summary."""
        seconds = perf_counter() - self._start
        done = f"{self._written} written in {seconds:.1f} s ({self._written / seconds:.2f} a second)"
        already = f", {skipped} were there" if skipped else ""
        way_on = ", --resume goes on" if self.resumable else ""
        stopped = f"; stopped early{way_on}" if self.interrupted else ""
        _say(f"{done}{already}, {len(self._failed)} failed{stopped}")
        if self._outside:
            _say(f"  png16 lacks pixels of {self._outside}: beyond 65.535 m they are 0 there, beyond --range clipped")
        for name, _ in self._failed:
            _say(f"  failed: {name}")
        for title, frames in self._held.items():
            _say(f"  not kept: {frames} frames of {title}, whose depth video is not whole")

    def _show(self, name: str, written: Written) -> None:
        if not self._as_json:
            for path in written.paths:
                _result(path)
            return
        depth = written.depth
        inside = depth.values[depth.valid]
        found = {
            "input": name,
            "outputs": [str(path) for path in written.paths],
            "kind": depth.kind,
            "unit": depth.unit,
            "min": float(inside.min()) if inside.size else None,
            "max": float(inside.max()) if inside.size else None,
            "valid": float(depth.valid.mean()),
            "outside_png16": written.outside,
            "provenance": depth.provenance.to_dict(),
        }
        _result(json.dumps(found))

    def _advance(self, progress: Progress, task: TaskID) -> None:
        speed = (self._written + self._held.total() + self.failed) / (perf_counter() - self._start)
        progress.update(task, advance=1, speed=f"{speed:.2f}/s")


def show_left_out(count: int, outputs: Path) -> None:
    """Say that a folder's own outputs are not its inputs."""
    _say(f"left out: {count} images and videos in {outputs}, the folder of outputs")


def show_sheet(path: Path, sheet: Sheet) -> None:
    """Say where the sheet is, on standard error: standard output has a line an image."""
    left_out = f" (without the last {sheet.left_out} images)" if sheet.left_out else ""
    _say(f"sheet: {path}{left_out}")


def _bar() -> Progress:
    """Return a progress bar on standard error; its tasks have a field `speed`, "" where there is none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    title, speed = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[speed]}"))
    columns = (title, BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    # Only a terminal has a bar; a log gets the lines alone. Results that go to a pipe or a file
    # must not pass through the console of standard error.
    return Progress(
        *columns,
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )


def _result(text: object) -> None:
    """Print to what standard output is now, which a progress bar may have replaced; what it cannot hold is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # None where standard output is closed
    click.echo(str(text).encode(encoding, "backslashreplace").decode(encoding), file=sys.stdout)


def _say(text: str) -> None:
    click.echo(text, file=sys.stderr)
