"""What `depthrt bag` prints: a progress bar, each failure when it comes, and a summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from time import perf_counter
from typing import TYPE_CHECKING

from ....engine.system.process.signals import exit_code
from ....robots.listener import BagListener
from ..printing import print_result, say
from ..progress import progress_bar, say_model

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from ....engine.model.depth_model import DepthModel
    from ....robots.bag import BagOutcome
    from ....robots.plan import Plan
    from ....robots.writing.record import BagRecord


class BagReport(BagListener):
    """Prints a run.

    The path of the new bag, or JSON, goes to standard output, everything else to standard error.

    Args:
        output: Folder of the new bag.
        as_json: Print what was done as JSON instead of the path.
    """

    def __init__(self, output: Path, *, as_json: bool) -> None:
        self._output, self._as_json = output, as_json
        self._bars = ExitStack()
        self._progress: Progress | None = None  # None until the model is loaded
        self._task: TaskID | None = None
        self._start = perf_counter()
        self._done = 0  # images of this run
        self._failed: list[str] = []
        self._record: BagRecord | None = None  # once the bag is whole
        self._interrupted = False

    @property
    def exit_code(self) -> int:
        """Return 0 if everything was written, 1 if something failed, 130, 143 or 129 if a signal ended it."""
        return exit_code() if self._interrupted else 1 if self._failed else 0

    def follow(self, begin: Callable[[BagListener], Generator[BagOutcome]]) -> None:
        """Print each failure, and the summary at the end; an interrupt ends the run."""
        try:
            with self._bars, closing(begin(self)) as outcomes:
                for outcome in outcomes:
                    self._show(outcome)
        except KeyboardInterrupt:
            if self._progress is None:
                raise  # nothing has run
            self._interrupted = True
        if self._progress is not None:
            self._summarise()

    def started(self, model: DepthModel, plan: Plan, record: BagRecord) -> None:
        """Say what runs, and show a progress bar."""
        say_model(model)
        before = record.images + record.failed
        after = f" after the {before} of an earlier run" if before else ""
        say(f"{plan.image.name}: {plan.image.messages} images{after} -> {plan.depth.name}")
        self._progress = self._bars.enter_context(progress_bar())
        self._task = self._progress.add_task("images", total=plan.image.messages, completed=before, speed="")
        self._start = perf_counter()

    def ended(self, record: BagRecord) -> None:
        """Keep the record of the whole bag."""
        self._record = record

    def _show(self, outcome: BagOutcome) -> None:
        if outcome.error is not None:
            name = "the bag" if outcome.item is None else f"image {outcome.item + 1}"
            self._failed.append(name)
            say(f"error: {name}: {outcome.error}")
        self._done += outcome.error is None
        if outcome.item is not None and self._progress is not None and self._task is not None:
            speed = self._done / (perf_counter() - self._start)
            self._progress.update(self._task, advance=1, speed=f"{speed:.2f}/s")

    def _summarise(self) -> None:
        seconds = perf_counter() - self._start
        done = f"{self._done} images in {seconds:.1f} s ({self._done / seconds:.2f} a second)"
        stopped = "; interrupted, --resume continues" if self._interrupted else ""
        say(f"{done}, {len(self._failed)} failed{stopped}")
        if self._record is None:
            say("no bag is left, as no image was done")
            return
        if self._record.no_floor:
            say(f"no floor was found in {self._record.no_floor} of {self._record.images} images, which have no points")
        if not self._as_json:
            print_result(self._output)
            return
        record = self._record
        found = {
            "bag": str(self._output),
            "topic": record.made.depth_topic,
            "kind": record.made.kind,
            "unit": record.made.unit,
            "images": record.images,
            "failed": record.failed,
            "finished": record.finished,
            "flaw": record.flaw or None,
            "drift": record.drift,
            **({} if record.no_floor is None else {"no_floor": record.no_floor}),
        }
        print_result(json.dumps(found))
