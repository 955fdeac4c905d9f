"""Reports a training while it runs: the log, TensorBoard, and on stderr a bar with the time left."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...engine.errors import BackendUnavailable
from ...engine.system.escape import escaped
from .log import LOG_NAME, Happening, append_line, drop_later

_SPEED_OVER_S = 3600.0  # the time left follows from the steps of the last hour: a step of a large network takes minutes


class Reporter:
    """Writes and shows the progress of a training, as a context manager.

    Args:
        directory: Folder of the training.
        steps: Steps of the whole training.
        start: Steps done before; log lines of later steps are dropped, because those steps are repeated.
        tensorboard: Write figures to TensorBoard too.
        writes: Write files; only the first process of a group does.
        shows: Show the bar.
    """

    def __init__(
        self, directory: Path, *, steps: int, start: int, tensorboard: bool, writes: bool, shows: bool
    ) -> None:
        self._path = directory / LOG_NAME
        self._writes = writes
        self._began_s = time.monotonic()
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            disable=not shows,
            speed_estimate_period=_SPEED_OVER_S,
        )
        self._task = self._bar.add_task("", total=steps, completed=start)
        if writes:
            drop_later(self._path, start)
        self._board = _open_board(directory, start) if tensorboard and writes else None

    def __enter__(self) -> Reporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._board is not None:
            self._board.close()

    def report(self, event: Happening, step: int, figures: Mapping[str, float]) -> None:
        """Add a line with an event, the steps done before it and its figures; figures that are not finite are null."""
        if not self._writes:
            return
        elapsed_s = round(time.monotonic() - self._began_s, 2)
        finite = {name: float(f"{value:.6g}") if math.isfinite(value) else None for name, value in figures.items()}
        append_line(self._path, {"event": event, "step": step, "elapsed_s": elapsed_s, **finite})
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{event}/{name}", value, step)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        if event == "step":
            self._bar.update(self._task, completed=step, description=shown)
        elif not self._bar.disable:
            self._print(f"{event} after step {step}: {shown}")

    def note(self, step: int, text: str) -> None:
        """Add a line of text about the steps after `step`."""
        if self._writes:
            append_line(self._path, {"event": "note", "step": step, "text": text})
            if not self._bar.disable:
                self._print(text)

    def _print(self, line: str) -> None:
        """Print a line above the bar; it may hold the name of a folder."""
        self._bar.console.print(escaped(line), highlight=False, markup=False)


def _open_board(directory: Path, start: int) -> Any:  # noqa: ANN401 - the package that has the type may be missing
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise BackendUnavailable(
            "TensorBoard is not installed; pip install tensorboard, or train without it"
        ) from error
    return SummaryWriter(directory / "tensorboard", purge_step=start + 1)
