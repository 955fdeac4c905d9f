"""What a training says while it runs: lines of JSON in a file, TensorBoard, and a bar with the time left on stderr."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...engine.errors import BackendUnavailable, InputError
from ...engine.system.files import atomic_path

LOG_NAME = "log.jsonl"
_LINE = '{"event": "'  # how each begins
_SPEED_OVER_S = 3600.0  # the time left is told from the steps of so long: a large network's may take minutes


class Reporter:
    """Writes what happens, as a context manager.

    Args:
        directory: Of the training.
        steps: Of the whole training.
        start: Steps done before; lines of later ones, which are repeated now, are dropped from the log.
        tensorboard: Whether figures go there as well.
        writes: Whether anything goes to files; of a group of processes only the first does.
        shows: Whether the bar is shown.
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
            _drop_later(self._path, start)
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

    def report(self, event: str, step: int, figures: Mapping[str, float]) -> None:
        """Add one line: what happened after which step, with its figures; those that are not finite become null."""
        if not self._writes:
            return
        elapsed_s = round(time.monotonic() - self._began_s, 2)
        told = {name: float(f"{value:.6g}") if math.isfinite(value) else None for name, value in figures.items()}
        self._append({"event": event, "step": step, "elapsed_s": elapsed_s, **told})
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(f"{event}/{name}", value, step)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        if event == "step":
            self._bar.update(self._task, completed=step, description=shown)
        elif not self._bar.disable:
            self._bar.console.print(f"{event} after step {step}: {shown}", highlight=False)

    def note(self, step: int, text: str) -> None:
        """Add one line of text that holds from a step on."""
        if self._writes:
            self._append({"event": "note", "step": step, "text": text})
            if not self._bar.disable:
                self._bar.console.print(text, highlight=False)

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"{self._path} cannot be written: {reason}; check the disk and its rights") from error


def read_log(directory: Path) -> list[dict[str, Any]]:
    """Return the lines of a training's log."""
    path = directory / LOG_NAME
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def _drop_later(path: Path, start: int) -> None:
    if not path.is_file():
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines and lines[-1].startswith(_LINE[: len(lines[-1])]) and not lines[-1].endswith("}"):
            lines.pop()  # cut short by a crash, and of a step that is repeated
        told = [json.loads(line) for line in lines]
        kept = [line for line, one in zip(lines, told, strict=True) if one["event"] and one["step"] <= start]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no log of a training; choose another folder") from error
    with atomic_path(path) as unfinished:
        unfinished.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _open_board(directory: Path, start: int) -> Any:  # noqa: ANN401 - its package may not be there to name it
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise BackendUnavailable(
            "TensorBoard is not installed; pip install tensorboard, or train without it"
        ) from error
    return SummaryWriter(directory / "tensorboard", purge_step=start + 1)
