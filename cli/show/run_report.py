"""What `depthrt run` prints: each outcome when it comes, a progress bar, and a summary."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Generator
from contextlib import ExitStack, closing
from time import perf_counter
from typing import TYPE_CHECKING

from ...engine.run.listener import Listener, Part
from ...engine.system.process.signals import exit_code
from .printing import print_result, say
from .progress import progress_bar, say_model

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from ...engine.depth.depth import Depth
    from ...engine.images.walk import LeftOut
    from ...engine.model.depth_model import DepthModel
    from ...engine.run.run import Step
    from ...engine.run.run_images import Written
    from ...engine.system.process.overlap import Outcome

_MOST_AGES = 100_000  # of live frames that the summary covers: the last ones


class RunReport(Listener):
    """Prints a run.

    Paths of outputs, or JSON lines, go to standard output, everything else to standard error.

    Args:
        as_json: Print a JSON line per image, frame and depth video instead of paths.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bars = ExitStack()
        self._progress: Progress | None = None  # None until the model is loaded
        self._task: TaskID | None = None  # of the part that runs
        self._start = perf_counter()
        self._interrupted = False
        self._resumable = True  # whether --resume can go on after an interrupt
        self._skipped = 0
        self._written = 0  # images and frames
        self._held: Counter[str] = Counter()  # frames without own files, in a depth video that is not whole yet
        self._painted: Counter[str] = Counter()  # all frames of such a video; both by the input's name
        self._failed: list[str] = []  # names of inputs and frames
        self._outside = 0  # images with pixels that their png16 does not hold
        self._ages_ms: deque[float] = deque(maxlen=_MOST_AGES)  # of the depth of live frames
        self._replaced = 0  # live frames that newer ones replaced

    @property
    def exit_code(self) -> int:
        """Return 0 if everything was written, 1 if something failed, 130, 143 or 129 if a signal ended it."""
        return exit_code() if self._interrupted else 1 if self._failed else 0

    def follow(self, outcomes: Generator[Outcome[Step, Written], None, None]) -> None:
        """Print each outcome, and the summary at the end; an interrupt ends the run."""
        try:
            with self._bars, closing(outcomes):
                for outcome in outcomes:
                    self._show(outcome)
        except KeyboardInterrupt:
            if self._progress is None:
                raise  # nothing has run
            self._interrupted = True
        finally:
            if self._progress is not None:
                self._summarise()

    def left_out(self, left_out: LeftOut) -> None:
        """Say what folders and patterns hold beside the inputs, such as the outputs of an earlier run."""
        say(str(left_out))

    def started(self, model: DepthModel, *, skipped: int, stale: int) -> None:
        """Say what runs."""
        say_model(model)
        if stale:
            say(f"written again, as their depth is of another model or of other options: {stale}")
        self._skipped = skipped
        self._progress = self._bars.enter_context(progress_bar())
        self._start = perf_counter()

    def began(self, part: Part) -> None:
        """Show a progress bar."""
        self._resumable = part.resumable
        assert self._progress is not None  # the model is loaded
        self._task = self._progress.add_task(part.title, total=part.steps, speed="")

    def sheet_written(self, path: Path, *, left_out: int) -> None:
        """Say where the sheet is, on standard error: standard output has a line per image."""
        without = f" (without the last {left_out} images)" if left_out else ""
        say(f"sheet: {path}{without}")

    def _show(self, outcome: Outcome[Step, Written]) -> None:
        step, written = outcome.item, outcome.result
        if written is None:
            self._fail(step.name, outcome.error)
        elif written.depth is None:  # a whole video
            self._written += self._held.pop(step.name, 0)
            self._painted.pop(step.name, None)
            self._print_video(step.name, written)
        else:
            self._outside += written.outside > 0
            self._note_age(written.depth)
            self._written += bool(written.files)
            self._held[step.job.source.title] += not written.files
            self._painted[step.job.source.title] += step.frame is not None and bool(step.job.files)
            self._print_written(step.name, written, written.depth)
        if step.is_whole_video:
            self._end_bar()
        else:
            self._advance()

    def _fail(self, name: str, error: Exception | None) -> None:
        """Print a failure at once; the summary names it again."""
        self._failed.append(name)
        say(f"error: {error}")
        if self._as_json:
            print_result(json.dumps({"input": name, "error": str(error)}))

    def _print_video(self, name: str, written: Written) -> None:
        if not self._as_json:
            _print_paths(written)
        elif written.files:
            print_result(json.dumps({"input": name, "outputs": [str(path) for path in written.files]}))

    def _print_written(self, name: str, written: Written, depth: Depth) -> None:
        if not self._as_json:
            _print_paths(written)
            return
        inside = depth.values[depth.valid]
        found = {
            "input": name,
            "outputs": [str(path) for path in written.files],
            "kind": depth.kind,
            "unit": depth.unit,
            "min": float(inside.min()) if inside.size else None,
            "max": float(inside.max()) if inside.size else None,
            "valid": float(depth.valid.mean()),
            "outside_png16": written.outside,
            **({} if written.time_s is None else {"time_s": written.time_s}),
            "provenance": depth.provenance.to_dict(),
        }
        print_result(json.dumps(found))

    def _note_age(self, depth: Depth) -> None:
        """Note how old the depth of a live frame was, and how many frames were skipped before it."""
        if depth.provenance.age_ms is not None:
            self._ages_ms.append(depth.provenance.age_ms)
            self._replaced += depth.provenance.skipped or 0

    def _advance(self) -> None:
        if self._progress is not None and self._task is not None:
            speed = (self._written + self._held.total() + len(self._failed)) / (perf_counter() - self._start)
            self._progress.update(self._task, advance=1, speed=f"{speed:.2f}/s")

    def _end_bar(self) -> None:
        """Let the bar of a video end at the frames that came: fewer or more may have been announced."""
        if self._progress is not None and self._task is not None:
            came = int(self._progress.tasks[self._task].completed)
            self._progress.update(self._task, total=came, visible=came > 0)
            self._task = None  # a video that cannot be opened has no bar

    def _summarise(self) -> None:
        seconds = perf_counter() - self._start
        done = f"{self._written} written in {seconds:.1f} s ({self._written / seconds:.2f} a second)"
        skipped = f", {self._skipped} skipped as done" if self._skipped else ""
        way_on = ", --resume continues" if self._resumable else ""
        stopped = f"; interrupted{way_on}" if self._interrupted else ""
        say(f"{done}{skipped}, {len(self._failed)} failed{stopped}")
        if self._ages_ms:
            ages_ms = sorted(self._ages_ms)
            typical, high = ages_ms[len(ages_ms) // 2], ages_ms[int(0.99 * len(ages_ms))]
            say(f"  newest frames only: {self._replaced} skipped; age of the depth {typical:.0f} ms, p99 {high:.0f} ms")
        if self._outside:
            say(f"  images whose png16 lacks pixels: {self._outside} (0 beyond 65.535 m, clipped outside --range)")
        for name in self._failed:
            say(f"  failed: {name}")
        for name, frames in (+self._painted).items():
            say(f"  not kept: {frames} frames of {name}, as its depth video is not whole")


def _print_paths(written: Written) -> None:
    from ...engine.run.jobs import STDOUT  # here, as `depthrt --help` must stay light

    for path in written.files:
        if path != STDOUT:
            print_result(path)
