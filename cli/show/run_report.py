"""What `depthrt run` prints as it goes, and at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ...engine.errors import DepthrtError
from ...engine.modelfile.shipped import DEFAULT_NOTE
from .printing import print_result, say
from .progress import progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ...engine.model.depth_model import DepthModel
    from ...engine.run.run_images import Written
    from ...engine.run.sheet import Sheet
    from ...engine.system.overlap import Outcome


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
        say(f"{model.contract.model} {runner.precision} on {runner.name}, {runner.provider}")
        if DEFAULT_NOTE in model.notes:
            say(DEFAULT_NOTE)

    @property
    def failed(self) -> int:
        """Number of inputs or frames that failed so far."""
        return len(self._failed)

    def follow(self, title: str, total: int | None, outcomes: Iterator[tuple[str, Outcome[Any, Written]]]) -> None:
        """Print each outcome as it comes, over a progress bar of `total` steps."""
        with progress_bar() as progress:
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
            print_result(json.dumps({"input": title, "outputs": [str(path) for path in paths]}))
            return
        for path in paths:
            print_result(path)

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
        say(f"error: {error}")
        if self._as_json:
            print_result(json.dumps({"input": name, "error": str(error)}))

    def finish(self, skipped: int) -> None:
        """Print the summary."""
        seconds = perf_counter() - self._start
        done = f"{self._written} written in {seconds:.1f} s ({self._written / seconds:.2f} a second)"
        already = f", {skipped} were there" if skipped else ""
        way_on = ", --resume goes on" if self.resumable else ""
        stopped = f"; stopped early{way_on}" if self.interrupted else ""
        say(f"{done}{already}, {len(self._failed)} failed{stopped}")
        if self._outside:
            say(f"  png16 lacks pixels of {self._outside}: beyond 65.535 m they are 0 there, beyond --range clipped")
        for name, _ in self._failed:
            say(f"  failed: {name}")
        for title, frames in self._held.items():
            say(f"  not kept: {frames} frames of {title}, whose depth video is not whole")

    def _show(self, name: str, written: Written) -> None:
        if not self._as_json:
            for path in written.paths:
                print_result(path)
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
        print_result(json.dumps(found))

    def _advance(self, progress: Progress, task: TaskID) -> None:
        speed = (self._written + self._held.total() + self.failed) / (perf_counter() - self._start)
        progress.update(task, advance=1, speed=f"{speed:.2f}/s")


def show_left_out(count: int, outputs: Path) -> None:
    """Say that a folder's own outputs are not its inputs."""
    say(f"left out: {count} images and videos in {outputs}, the folder of outputs")


def show_sheet(path: Path, sheet: Sheet) -> None:
    """Say where the sheet is, on standard error: standard output has a line an image."""
    left_out = f" (without the last {sheet.left_out} images)" if sheet.left_out else ""
    say(f"sheet: {path}{left_out}")
