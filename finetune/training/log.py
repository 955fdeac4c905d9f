"""The log of a training: a JSON object on each line, read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...engine.errors import InputError
from ...engine.system.field_types import NotNegative, Sentence
from ...engine.system.files import atomic_path
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record
from .options import Step

LOG_NAME = "log.jsonl"
_LINE = '{"event": "'  # start of each line
_REMEDY = "choose another folder"

Happening = Literal["step", "validation"]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log.

    Args:
        event: A step, a validation or a note.
        step: Steps done.
        elapsed_s: Time since this run of the training began; None for a note.
        figures: Figures by name; None for a figure that is not finite.
        text: Text of a note.
    """

    event: Happening | Literal["note"]
    step: int
    elapsed_s: float | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Event:
    """The keys that every step and validation has in the log, besides its figures."""

    event: Happening
    step: Step
    elapsed_s: NotNegative


@dataclass(frozen=True, slots=True)
class _Note:
    """A note in the log."""

    event: Literal["note"]
    step: Step
    text: Sentence


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure in the log."""

    value: float | None


def append_line(path: Path, line: Mapping[str, Any]) -> None:
    """Add a line to a log.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be written: {reason}; check the disk and its rights") from error


def read_log(directory: Path) -> list[LogLine]:
    """Return the lines of a training's log; none if there is no log.

    Raises:
        InputError: The log cannot be read, or a line of it is not of a training.
    """
    path = directory / LOG_NAME
    return [_parse(path, number, line) for number, line in enumerate(_lines_of(path), 1)]


def _lines_of(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); choose another folder") from error


def _parse(path: Path, number: int, line: str) -> LogLine:
    name = f"{path} is not the log of a training: line {number}"
    found = parse_object(line, name=name, remedy=_REMEDY, failure=InputError)
    if found.get("event") == "note":
        note = read_record(_Note, found, name=name, remedy=_REMEDY, failure=InputError)
        return LogLine(note.event, note.step, text=note.text)
    names = ("event", "step", "elapsed_s")
    head = {key: value for key, value in found.items() if key in names}
    event = read_record(_Event, head, name=name, remedy=_REMEDY, failure=InputError)
    figures = {key: _figure(value, f"{name}, {key}") for key, value in found.items() if key not in names}
    return LogLine(event.event, event.step, event.elapsed_s, figures)


def _figure(found: object, name: str) -> float | None:
    return read_record(_Figure, {"value": found}, name=name, remedy=_REMEDY, failure=InputError).value


def drop_later(path: Path, start: int) -> None:
    """Rewrite a log without the lines of steps after `start`, which are repeated.

    Raises:
        InputError: The file is not the log of a training, or cannot be written.
    """
    if not path.is_file():
        return
    lines = _lines_of(path)
    if lines and lines[-1].startswith(_LINE[: len(lines[-1])]) and not lines[-1].endswith("}"):
        lines.pop()  # cut short by a crash; its step is repeated
    kept = [line for number, line in enumerate(lines, 1) if _parse(path, number, line).step <= start]
    with atomic_path(path) as unfinished:
        unfinished.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
