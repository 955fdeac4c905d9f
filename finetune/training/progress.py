"""Reports a training while it runs: the log, TensorBoard, MLflow, and on stderr a bar with the time left."""

from __future__ import annotations

import math
import os
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

MLFLOW_URI = "MLFLOW_TRACKING_URI"  # of mlflow itself; a training logs to it if it is set
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
        self._mlflow = _open_mlflow(directory) if os.environ.get(MLFLOW_URI) and writes else None
        if self._mlflow is None and os.environ.get(MLFLOW_URI) and writes:
            self.note(start, f"{MLFLOW_URI} is set and mlflow is not installed, so figures go to {LOG_NAME} only")

    def __enter__(self) -> Reporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._board is not None:
            self._board.close()
        if self._mlflow is not None:
            self._mlflow.end_run("FINISHED" if kind is None else "FAILED")

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
        if self._mlflow is not None:
            known = {f"{event}.{name}": float(value) for name, value in figures.items() if math.isfinite(value)}
            self._mlflow.log_metrics(known, step=step)
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


def _open_mlflow(directory: Path) -> Any:  # noqa: ANN401 - as above
    """Return mlflow with a run begun, None if it is not installed; it reports nothing to its makers."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
    except ImportError:
        return None
    mlflow.start_run(run_name=directory.name)
    return mlflow
