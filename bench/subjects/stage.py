"""Results of one stage of a run, by subject: figures, failures and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from ...engine.errors import DepthrtError

Figures = TypeVar("Figures")
OnImage = Callable[[int, int], None]  # images done, images wanted


@dataclass(frozen=True, slots=True)
class StageResult(Generic[Figures]):
    """Results of one stage, by subject name.

    Args:
        found: Figures of the subjects that were measured.
        failures: Why a subject failed; it leaves the run.
        notes: Why a subject that stays in the run lacks a figure.
        warnings: What a reader must know before the figures, one sentence each.
    """

    found: Mapping[str, Figures] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def measure_each(works: Mapping[str, Callable[[], Figures | None]], *, figure: str) -> StageResult[Figures]:
    """Measure one subject after the other; a subject that fails gets a note and stays in the run.

    Args:
        works: By subject name; None stands for a figure that this machine cannot measure.
        figure: What is measured, for the note: "energy".
    """
    found: dict[str, Figures] = {}

    def measure(name: str) -> None:
        figures = works[name]()
        if figures is not None:
            found[name] = figures

    failed = failures_of({name: partial(measure, name) for name in works})
    return StageResult(found, notes={name: (f"no {figure}: {why}",) for name, why in failed.items()})


def failures_of(works: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Do each work in order; return why some failed, by name. The others go on."""
    failures = {}
    for name, work in works.items():
        try:
            work()
        except Exception as error:  # noqa: PERF203 (whatever a backend raises is the finding)
            failures[name] = failure_of(error)
    return failures


def failure_of(error: Exception) -> str:
    """Return an error as one line; an error of another package begins with its type."""
    line = " ".join(str(error).split())
    return line if isinstance(error, DepthrtError) else f"{type(error).__name__}: {line}"
